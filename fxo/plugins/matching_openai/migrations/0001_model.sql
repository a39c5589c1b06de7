-- What the plugin keeps for a tenant: vectors of its roster by its own account, answers for a day, and what was spent.

create schema plugin_matching_openai;

-- A record's vector, by the model that made it and a digest of the text that it is of; half floats.
create table plugin_matching_openai.embeddings (
    tenant_id uuid not null,
    partner_id uuid not null,
    model text not null,
    record text not null,
    vector bytea not null,
    primary key (tenant_id, partner_id, model)
);
alter table plugin_matching_openai.embeddings alter column vector set storage external;

-- Sealed with a key that is made of the question itself: nobody reads an answer who does not hold the words of the brief.
create table plugin_matching_openai.answers (
    tenant_id uuid not null,
    question text not null,
    sealed bytea not null,
    made_at timestamptz not null,
    primary key (tenant_id, question)
);
create index answers_oldest on plugin_matching_openai.answers (tenant_id, made_at);

-- Millionths of a US dollar.
create table plugin_matching_openai.spending (
    tenant_id uuid not null,
    provider text not null,
    month text not null check (month ~ '^\d{{4}}-\d\d$'),
    calls bigint not null default 0,
    tokens_in bigint not null default 0,
    tokens_out bigint not null default 0,
    micros bigint not null default 0 check (micros >= 0),
    primary key (tenant_id, provider, month)
);

alter table plugin_matching_openai.embeddings enable row level security;
alter table plugin_matching_openai.embeddings force row level security;
create policy embeddings_owner on plugin_matching_openai.embeddings to {owner} using (true) with check (true);
create policy embeddings_tenant on plugin_matching_openai.embeddings to {tenant}
    using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);

alter table plugin_matching_openai.answers enable row level security;
alter table plugin_matching_openai.answers force row level security;
create policy answers_owner on plugin_matching_openai.answers to {owner} using (true) with check (true);
create policy answers_tenant on plugin_matching_openai.answers to {tenant}
    using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);

alter table plugin_matching_openai.spending enable row level security;
alter table plugin_matching_openai.spending force row level security;
create policy spending_owner on plugin_matching_openai.spending to {owner} using (true) with check (true);
create policy spending_tenant on plugin_matching_openai.spending to {tenant}
    using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);

grant usage on schema plugin_matching_openai to {tenant};
grant select, insert, update, delete on plugin_matching_openai.embeddings to {tenant};
grant select, insert, update, delete on plugin_matching_openai.answers to {tenant};
grant select, insert, update on plugin_matching_openai.spending to {tenant};
