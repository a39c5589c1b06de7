-- The card network's own books. It stands for a company outside: only its own scope reads them, never a tenant's.

create schema plugin_payments_sandbox;

-- Where each tenant wants its notices. The secret keeps no money: a forged notice makes the platform ask, and nothing else.
create table plugin_payments_sandbox.accounts (
    tenant_id uuid primary key,
    endpoint text not null,
    deliver_to text not null,
    secret text not null
);

create table plugin_payments_sandbox.customers (
    reference text primary key,
    tenant_id uuid not null,
    person_id uuid not null,
    made_at timestamptz not null,
    unique (tenant_id, person_id)
);

create table plugin_payments_sandbox.tokens (
    token text primary key,
    card text not null,
    customer text references plugin_payments_sandbox.customers,
    made_at timestamptz not null
);

create table plugin_payments_sandbox.methods (
    reference text primary key,
    tenant_id uuid not null,
    customer text not null references plugin_payments_sandbox.customers,
    card text not null,
    confirmed boolean not null,
    made_at timestamptz not null,
    forgotten_at timestamptz
);

create table plugin_payments_sandbox.attempts (
    reference text primary key,
    tenant_id uuid not null,
    order_reference text not null,
    verb text not null check (verb in ('authorise', 'save_method', 'authorise_saved')),
    source text not null,
    customer text not null references plugin_payments_sandbox.customers,
    card text not null,
    method text references plugin_payments_sandbox.methods,
    description text not null,
    return_url text not null,
    amount bigint not null check (amount >= 0),
    currency text not null,
    status text not null check (status in ('action_required', 'saved', 'authorised', 'captured', 'voided', 'declined')),
    reason text,
    challenge text unique,
    capture_before timestamptz,
    captured bigint not null default 0 check (captured between 0 and amount),
    refunded bigint not null default 0 check (refunded between 0 and captured),
    stumbles integer not null default 0,
    fee bigint not null default 0 check (fee between 0 and captured),
    fee_back bigint not null default 0 check (fee_back between 0 and fee),
    fee_known_at timestamptz,
    made_at timestamptz not null,
    unique (tenant_id, order_reference),
    check ((status = 'declined') = (reason is not null)),
    check (status not in ('authorised', 'captured') or capture_before is not null)
);
create index on plugin_payments_sandbox.attempts (tenant_id, capture_before) where status = 'authorised';

create table plugin_payments_sandbox.transfers (
    reference text primary key,
    tenant_id uuid not null,
    partner_id uuid not null,
    amount bigint not null check (amount > 0),
    currency text not null,
    reversed bigint not null default 0 check (reversed between 0 and amount),
    made_at timestamptz not null
);

-- One at a time for an attempt; the amount and the fee are drawn when it is opened.
create table plugin_payments_sandbox.disputes (
    reference text primary key,
    attempt text not null references plugin_payments_sandbox.attempts,
    tenant_id uuid not null,
    reason text not null,
    amount bigint not null check (amount > 0),
    fee bigint not null,
    currency text not null,
    answer_until timestamptz not null,
    evidence jsonb,
    decides_at timestamptz not null,
    won boolean,
    opened_at timestamptz not null
);
create index on plugin_payments_sandbox.disputes (attempt, opened_at);
create index on plugin_payments_sandbox.disputes (tenant_id, decides_at);

-- One row for each thing that really happened, and by its key the proof that it happened once.
create table plugin_payments_sandbox.effects (
    id text primary key,
    tenant_id uuid not null,
    attempt text references plugin_payments_sandbox.attempts,
    transfer text references plugin_payments_sandbox.transfers,
    kind text not null check (kind in ('hold', 'save', 'capture', 'void', 'refund', 'transfer', 'reversal', 'evidence', 'dispute')),
    amount bigint not null,
    currency text not null,
    key text not null,
    at timestamptz not null,
    unique (tenant_id, kind, key),
    check ((attempt is null) <> (transfer is null))
);
create index on plugin_payments_sandbox.effects (attempt);

create table plugin_payments_sandbox.changes (
    id text primary key,
    tenant_id uuid not null,
    attempt text not null references plugin_payments_sandbox.attempts,
    kind text not null,
    at timestamptz not null
);
create index on plugin_payments_sandbox.changes (tenant_id, at);

grant usage on schema plugin_payments_sandbox to {system};
grant select, insert, update on all tables in schema plugin_payments_sandbox to {system};
revoke update on plugin_payments_sandbox.effects, plugin_payments_sandbox.changes from {system};

do $$
declare
    name text;
begin
    for name in select tablename from pg_tables where schemaname = 'plugin_payments_sandbox' loop
        name := 'plugin_payments_sandbox.' || name;
        execute 'comment on table ' || name || ' is ''network: the books of a company outside''';
        execute 'alter table ' || name || ' enable row level security, force row level security';
        execute 'create policy owner on ' || name || ' to {owner} using (true) with check (true)';
        execute 'create policy network on ' || name || ' to {system} using (true) with check (true)';
    end loop;
end
$$;
