-- The outbox: what would have been sent where no mail server is set up. Each tenant writes and reads its own.

create schema plugin_notifications_email;

create table plugin_notifications_email.outbox (
    message_id text primary key,
    tenant_id uuid not null,
    kind text not null,
    to_name text not null,
    to_address text not null,
    subject text not null,
    text text not null,
    html text not null,
    attachments jsonb not null,
    headers jsonb not null,
    from_name text not null,
    sent_at timestamptz not null
);

create index outbox_newest on plugin_notifications_email.outbox (tenant_id, sent_at desc);

alter table plugin_notifications_email.outbox enable row level security;
alter table plugin_notifications_email.outbox force row level security;
create policy outbox_owner on plugin_notifications_email.outbox to {owner} using (true) with check (true);
create policy outbox_tenant on plugin_notifications_email.outbox to {tenant}
    using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);
create policy outbox_system on plugin_notifications_email.outbox for select to {system} using (true);

grant usage on schema plugin_notifications_email to {tenant}, {system};
grant select, insert, update on plugin_notifications_email.outbox to {tenant};
grant select on plugin_notifications_email.outbox to {system};
