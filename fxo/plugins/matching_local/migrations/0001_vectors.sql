-- Sentence vectors of partners' records, derived from what their profiles say in public: one row a partner for all tenants.

create schema plugin_matching_local;

create table plugin_matching_local.vectors (
    partner_id uuid primary key,
    model text not null,
    record text not null,
    vectors bytea not null
);
-- Already as small as it gets; read whole.
alter table plugin_matching_local.vectors alter column vectors set storage external;
comment on table plugin_matching_local.vectors is 'network: a record reads the same to every tenant';

alter table plugin_matching_local.vectors enable row level security;
alter table plugin_matching_local.vectors force row level security;
create policy vectors_owner on plugin_matching_local.vectors to {owner} using (true) with check (true);
create policy vectors_system on plugin_matching_local.vectors to {system} using (true) with check (true);

grant usage on schema plugin_matching_local to {system};
grant select, insert, update on plugin_matching_local.vectors to {system};
