-- Meetings on the local meeting page. Whoever knows the token is admitted, before any tenant is known: the system role reads.

create schema plugin_calendar_local;

create table plugin_calendar_local.meetings (
    reference text primary key,
    tenant_id uuid not null,
    token text not null unique,
    uid text not null,
    sequence integer not null check (sequence >= 0),
    title text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > starts_at),
    cancelled boolean not null default false
);

comment on table plugin_calendar_local.meetings is 'network: whoever has the link is admitted before the tenant is known';

alter table plugin_calendar_local.meetings enable row level security;
alter table plugin_calendar_local.meetings force row level security;
create policy meetings_owner on plugin_calendar_local.meetings to {owner} using (true) with check (true);
create policy meetings_system on plugin_calendar_local.meetings to {system} using (true) with check (true);

grant usage on schema plugin_calendar_local to {system};
grant select, insert, update on plugin_calendar_local.meetings to {system};
