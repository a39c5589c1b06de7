-- The spine: event store, durable work, tenants, the network of partners, and the tables that pages read.
-- Roles stand in braces and are filled in by the runner, since they are global to a cluster and carry a prefix.

-- The event store ---------------------------------------------------------------------------------------------------

create table epoch (current int not null);
insert into epoch values (1);

create table events (
    tenant_id uuid not null,
    stream_id uuid not null,
    version int not null check (version > 0),
    event_id uuid not null,
    stream_type text not null,
    type text not null,
    schema_version int not null,
    data jsonb not null,
    meta jsonb not null,
    recorded_at timestamptz not null,
    hash bytea not null check (length(hash) = 32),
    epoch int not null,
    txid xid8 not null default pg_current_xact_id(),
    position bigint generated always as identity,
    primary key (tenant_id, stream_id, version)
);
create index events_in_order on events (epoch, txid, position);
create index events_by_type on events (tenant_id, type, recorded_at);

create function events_are_facts() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
    raise exception 'events are append-only';
end $$;
create trigger events_are_facts before update or delete or truncate on events for each statement execute function events_are_facts();

-- All streams of a transaction in one statement; returns how many events were appended. A version that is taken violates the primary
-- key; `after` is the hash that the first new event of an existing stream builds on: where the stream has no such end, the event is
-- left out.
create function append_facts(about jsonb, at timestamptz, tenant uuid, facts jsonb) returns int language plpgsql as $$
declare
    appended int;
begin
    insert into events (
        tenant_id, stream_id, version, event_id, stream_type, type, schema_version, data, meta, recorded_at, hash, epoch)
    select tenant, f.stream, f.version, f.id, f.stream_type, f.type, f.schema_version, f.data, about, at, decode(f.hash, 'hex'),
           (select current from epoch)
    from jsonb_to_recordset(facts) as f(
        stream uuid, version int, id uuid, stream_type text, type text, schema_version int, data jsonb, hash text, after text)
    where f.after is null or f.after = (
        select encode(e.hash, 'hex') from events e
        where e.tenant_id = tenant and e.stream_id = f.stream and e.version = f.version - 1);
    get diagnostics appended = row_count;
    return appended;
end $$;

create table subscription_cursors (
    name text primary key,
    epoch int not null default 0,
    txid xid8 not null default '0',
    position bigint not null default 0
);

-- One key per person, wrapped by the master key. An erased person keeps the row without the key.
create table person_keys (
    tenant_id uuid not null,
    person_id uuid not null,
    wrapped bytea,
    adopted_by uuid,
    erased_at timestamptz,
    primary key (tenant_id, person_id)
);

create table clock (only_row boolean primary key default true check (only_row), ahead interval not null check (ahead >= interval '0'));

-- Durable work ------------------------------------------------------------------------------------------------------

create table work (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    stream_id uuid not null,
    body jsonb not null,
    state text not null default 'due' check (state in ('due', 'leased', 'done', 'dead')),
    due_at timestamptz not null,
    attempts int not null default 0,
    lease_no int not null default 0,
    leased_until timestamptz,
    offered_at timestamptz,
    woken boolean not null default false,
    error text,
    created_at timestamptz not null,
    done_at timestamptz,
    primary key (tenant_id, id)
);
create index work_to_do on work (due_at) where state in ('due', 'leased');
create index work_given_up on work (tenant_id, kind) where state = 'dead';
create index work_of_stream on work (tenant_id, stream_id, kind);
create unique index work_one_at_a_time on work (tenant_id, stream_id, kind) where state = 'leased';

create table inbox (
    provider text not null,
    event_id text not null,
    kind text not null,
    reference text not null,
    order_reference text,
    tenant_id uuid,
    received_at timestamptz not null,
    primary key (provider, event_id)
);

create table form_submissions (
    tenant_id uuid not null,
    token text not null,
    actor_id uuid not null,
    begun_at timestamptz not null,
    status int,
    location text,
    body text,
    primary key (tenant_id, token)
);

create table alarms (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    subject_id uuid,
    sentence text not null,
    raised_at timestamptz not null,
    times int not null default 1,
    last_at timestamptz not null,
    settled_at timestamptz,
    settled_by uuid,
    note text not null default '',
    primary key (tenant_id, id)
);
create index alarms_open on alarms (raised_at) where settled_at is null;

create table plugin_migrations (
    plugin text not null,
    script text not null,
    primary key (plugin, script)
);

create table plugin_state (
    tenant_id uuid not null,
    plugin text not null,
    key text not null,
    value jsonb not null,
    primary key (tenant_id, plugin, key)
);

-- How each provider fares, by the hour: no text of anybody's, and nothing that something depends on.
create table provider_hours (
    tenant_id uuid not null,
    port text not null,
    provider text not null,
    hour timestamptz not null,
    calls int not null,
    failed int not null,
    refused int not null,
    times int[] not null,
    cost bigint not null,
    answered_at timestamptz,
    rested_at timestamptz,
    failures jsonb not null,
    primary key (tenant_id, provider, hour)
);

-- Tenants, members, operators ---------------------------------------------------------------------------------------

create table tenants (
    id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z][a-z0-9-]{{1,40}}$'),
    name text not null,
    currency text not null,
    price_minor int not null check (price_minor >= 0),
    partner_share int not null check (partner_share between 0 and 10000),
    fee_bearer text not null default 'platform' check (fee_bearer in ('platform', 'partner', 'shared')),
    visitors_may_match boolean not null,
    mail_domains text[] not null,
    policy jsonb not null,
    providers jsonb not null,
    required_plugins text[] not null,
    brand jsonb not null,
    asks_first boolean not null default false,
    tax jsonb not null default '{{}}',
    created_at timestamptz not null,
    suspended_at timestamptz
);

-- Pictures that a tenant has uploaded for its portal, by the hash of what is served.
create table tenant_logos (
    tenant_id uuid not null,
    hash text not null check (hash ~ '^[0-9a-f]{{32}}$'),
    content bytea not null,
    uploaded_at timestamptz not null,
    primary key (tenant_id, hash)
);

create table hosts (
    host text primary key,
    tenant_id uuid not null
);

create table members (
    tenant_id uuid not null,
    id uuid not null,
    email text not null,
    password_hash text not null,
    role text not null check (role in ('client', 'administrator')),
    joined_at timestamptz not null,
    signed_in_at timestamptz,
    deactivated_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);

-- Who was asked to become a member; the id is the member's, once there is one.
create table invitations (
    tenant_id uuid not null,
    id uuid not null,
    email text not null,
    role text not null check (role in ('client', 'administrator')),
    state text not null check (state in ('open', 'accepted', 'revoked')),
    invited_by uuid not null,
    sent_at timestamptz not null,
    sent int not null,
    primary key (tenant_id, id)
);
create unique index invitations_open on invitations (tenant_id, email) where state = 'open';

-- Links in mails that can be used once. The rows of partners and operators stand under the network.
create table tokens (
    tenant_id uuid not null,
    hash bytea not null check (length(hash) = 32),
    purpose text not null,
    person_id uuid not null,
    data jsonb not null,
    expires_at timestamptz not null,
    primary key (tenant_id, hash)
);
create index tokens_of_person on tokens (tenant_id, person_id, purpose);

-- The browsers in which somebody is signed in; the cookie names the row, and without it the cookie is worth nothing.
create table sign_ins (
    tenant_id uuid not null,
    id uuid not null,
    person_id uuid not null,
    browser text not null,
    began_at timestamptz not null,
    seen_at timestamptz not null,
    primary key (tenant_id, id)
);
create index sign_ins_of_person on sign_ins (tenant_id, person_id);

-- Keys of programs that use the API: each acts for one member, or reads for the tenant; the key itself is kept nowhere.
create table api_keys (
    tenant_id uuid not null,
    id uuid not null,
    hash bytea not null check (length(hash) = 32),
    name text not null,
    member_id uuid,
    created_at timestamptz not null,
    created_by uuid,
    used_at timestamptz,
    ends_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, hash)
);

-- What the API answered to a request that changes something, for the same request again.
create table api_answers (
    tenant_id uuid not null,
    key_id uuid not null,
    idempotency_key text not null,
    fingerprint bytea not null,
    begun_at timestamptz not null,
    status int,
    headers jsonb,
    body text,
    primary key (tenant_id, key_id, idempotency_key)
);

-- How often somebody tried, by a hash of who and what; may be emptied at any moment.
create table attempts (
    key bytea primary key,
    count int not null,
    ends_at timestamptz not null
);

-- How somebody wants the pages to be; of partners and operators under NETWORK. A preference, not an event.
create table preferences (
    tenant_id uuid not null,
    person_id uuid not null,
    theme text not null check (theme in ('system', 'light', 'dark')),
    primary key (tenant_id, person_id)
);

create table operators (
    id uuid primary key,
    email text not null unique,
    name text not null,
    password_hash text not null,
    created_at timestamptz not null
);

create table operator_uses (
    id uuid primary key,
    operator_id uuid not null,
    what text not null,
    at timestamptz not null
);

-- The network of partners -------------------------------------------------------------------------------------------

create table partners (
    id uuid primary key,
    slug text not null unique,
    name text not null,
    title text not null,
    headline text not null,
    bio text not null,
    roles text[] not null,
    skills text[] not null,
    industries text[] not null,
    certifications text[] not null,
    cases text[] not null,
    languages text[] not null,
    years int not null,
    country text not null,
    zone text not null,
    visible_to uuid,
    suspended_at timestamptz,
    updated_at timestamptz not null
);

create table partner_logins (
    partner_id uuid primary key,
    email text not null unique,
    password_hash text not null
);

create table partner_contacts (
    partner_id uuid primary key,
    email text not null
);

create table availability (
    partner_id uuid primary key,
    data jsonb not null
);

create table partner_standing (
    partner_id uuid primary key,
    ratings int not null,
    stars int not null
);

create table roster (
    tenant_id uuid not null,
    partner_id uuid not null,
    price_minor int,
    partner_share int check (partner_share between 0 and 10000),
    added_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, partner_id)
);
create index roster_of_partner on roster (partner_id);

create table partner_time (
    id uuid primary key default gen_random_uuid(),
    partner_id uuid not null,
    during tstzrange not null check (not isempty(during) and not lower_inf(during) and not upper_inf(during)),
    starts_at timestamptz not null generated always as (lower(during)) stored,
    ends_at timestamptz not null generated always as (upper(during)) stored,
    tenant_id uuid not null,
    consultation_id uuid not null,
    expires_at timestamptz,
    unique (tenant_id, consultation_id),
    constraint partner_is_in_one_place exclude using gist (partner_id with =, during with &&)
);
create index partner_time_ahead on partner_time (partner_id, ends_at);

-- The four doors to a partner's time. The tenant comes from the scope and never from a parameter.

create function claim_now_ok(asked timestamptz) returns boolean language sql stable set search_path = public, pg_temp as $$
    select asked <= clock_timestamp() + interval '1 minute' or exists (select from clock)
$$;

create function take_time(partner uuid, wanted tstzrange, consultation uuid, until timestamptz, at timestamptz)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare mine uuid := nullif(current_setting('fxo.tenant', true), '')::uuid;
begin
    if mine is null then raise exception 'no tenant in scope' using errcode = 'insufficient_privilege'; end if;
    if not claim_now_ok(at) then raise exception 'the given time lies in the future' using errcode = 'invalid_parameter_value'; end if;
    if not exists (select from roster where tenant_id = mine and partner_id = partner and ended_at is null) then
        raise exception 'the partner is not on the roster' using errcode = 'insufficient_privilege';
    end if;
    perform pg_advisory_xact_lock(hashtextextended('partner_time/' || partner, 0));
    delete from partner_time where partner_id = partner and during && wanted and expires_at <= at;
    insert into partner_time (partner_id, during, tenant_id, consultation_id, expires_at)
    values (partner, wanted, mine, consultation, until) on conflict do nothing;
    return found;
end $$;

create function keep_time(consultation uuid, at timestamptz)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare mine uuid := nullif(current_setting('fxo.tenant', true), '')::uuid;
begin
    if mine is null then raise exception 'no tenant in scope' using errcode = 'insufficient_privilege'; end if;
    if not claim_now_ok(at) then raise exception 'the given time lies in the future' using errcode = 'invalid_parameter_value'; end if;
    update partner_time set expires_at = null
    where tenant_id = mine and consultation_id = consultation and (expires_at is null or expires_at > at);
    return found;
end $$;

create function move_time(consultation uuid, wanted tstzrange, at timestamptz)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
    mine uuid := nullif(current_setting('fxo.tenant', true), '')::uuid;
    partner uuid;
begin
    if mine is null then raise exception 'no tenant in scope' using errcode = 'insufficient_privilege'; end if;
    if not claim_now_ok(at) then raise exception 'the given time lies in the future' using errcode = 'invalid_parameter_value'; end if;
    select partner_id into partner from partner_time where tenant_id = mine and consultation_id = consultation;
    if not found then return false; end if;
    perform pg_advisory_xact_lock(hashtextextended('partner_time/' || partner, 0));
    delete from partner_time
    where partner_id = partner and during && wanted and expires_at <= at and (tenant_id, consultation_id) <> (mine, consultation);
    update partner_time set during = wanted where tenant_id = mine and consultation_id = consultation;
    return found;
exception when exclusion_violation then
    return false;
end $$;

create function free_time(consultation uuid)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare mine uuid := nullif(current_setting('fxo.tenant', true), '')::uuid;
begin
    if mine is null then raise exception 'no tenant in scope' using errcode = 'insufficient_privilege'; end if;
    delete from partner_time where tenant_id = mine and consultation_id = consultation;
    return found;
end $$;

-- What pages read: projections, one transaction with the events they come from --------------------------------------

create table clients (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    email text not null,
    company text not null,
    zone text not null,
    title text not null default '',
    mails_without text[] not null default '{{}}',
    primary key (tenant_id, id)
);

create table briefs (
    tenant_id uuid not null,
    id uuid not null,
    author_id uuid not null,
    text text not null,
    industry text not null,
    urgency text not null,
    zone text not null,
    submitted_at timestamptz not null,
    role text not null default '',
    topics text[],
    topics_left text[] not null default array[]::text[],
    stage text not null default '',
    language text not null default '',
    budget text not null default '',
    unwanted text[],
    musts text[] not null default array[]::text[],
    shortlist jsonb,
    ranking int not null default 0, -- the version of the brief's stream at which the shortlist was recorded
    primary key (tenant_id, id)
);
create index briefs_of_author on briefs (tenant_id, author_id, submitted_at);

create table impressions ( -- who was shown for a brief at which place, and what came of it
    tenant_id uuid not null,
    brief_id uuid not null,
    ranking int not null,
    partner_id uuid not null,
    ranker text not null,
    place int not null,
    shown_at timestamptz not null,
    opened_at timestamptz,
    chosen_at timestamptz,
    primary key (tenant_id, brief_id, ranking, partner_id),
    foreign key (tenant_id, partner_id) references roster
);

create table favourites (
    tenant_id uuid not null,
    client_id uuid not null,
    partner_id uuid not null,
    kept_at timestamptz not null,
    primary key (tenant_id, client_id, partner_id),
    foreign key (tenant_id, partner_id) references roster
);

create table consultations (
    tenant_id uuid not null,
    id uuid not null,
    client_id uuid not null,
    partner_id uuid not null,
    brief_id uuid,
    payment_id uuid,
    state text not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    held_until timestamptz not null,
    price_minor int not null,
    net_minor int not null,
    currency text not null,
    partner_share int not null,
    policy jsonb not null,
    tax jsonb not null default '{{}}',
    reason text,
    confirmed_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    asks boolean not null default false,
    answer_until timestamptz,
    ended_by text,
    words text not null default '',
    fee_minor int,
    moves int not null default 0,
    sequence int not null default 0,
    moved_from timestamptz,
    moved_by text,
    proposed timestamptz[] not null default '{{}}',
    client_here_at timestamptz,
    partner_here_at timestamptz,
    missing text,
    rescue_until timestamptz,
    rescued_by uuid,
    rescues uuid,
    fee_bearer text not null default 'platform',
    primary key (tenant_id, id),
    foreign key (tenant_id, partner_id) references roster
);
create index consultations_of_client on consultations (tenant_id, client_id, starts_at);

-- Sessions about which the two do not agree; an operator hears both and decides.
create table cases (
    tenant_id uuid not null,
    consultation_id uuid not null,
    client_id uuid not null,
    partner_id uuid not null,
    opened_at timestamptz not null,
    opened_by text not null,
    says text not null,
    client_words text not null default '',
    partner_words text not null default '',
    decided_at timestamptz,
    decided_by uuid,
    words text not null default '',
    primary key (tenant_id, consultation_id),
    foreign key (tenant_id, partner_id) references roster
);
create index cases_open on cases (opened_at) where decided_at is null;

create table payments (
    tenant_id uuid not null,
    id uuid not null,
    consultation_id uuid not null,
    client_id uuid not null,
    partner_id uuid not null,
    state text not null,
    provider text not null,
    amount_minor int not null,
    captured_minor int not null default 0,
    refunded_minor int not null default 0,
    lost_minor int not null default 0,
    provider_fee_minor int,
    dispute_fees_minor int not null default 0,
    due_minor int,
    due_at timestamptz,
    due_reason text,
    through text not null default 'platform',
    dispute text check (dispute in ('open', 'answered', 'won', 'lost')),
    dispute_until timestamptz,
    dispute_minor int,
    currency text not null,
    method_label text,
    provider_reference text,
    order_reference text,
    challenge_url text,
    capture_before timestamptz,
    authorise_at timestamptz,
    captured_at timestamptz,
    changing text check (changing in ('requested', 'challenged', 'declined')),
    changing_reason text,
    reason text,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, partner_id) references roster
);
create index payments_of_consultation on payments (tenant_id, consultation_id);
create index payments_by_order on payments (tenant_id, order_reference);

create table saved_methods (
    tenant_id uuid not null,
    id uuid not null,
    client_id uuid not null,
    provider text not null,
    customer text not null,
    reference text not null,
    label text not null,
    saved_at timestamptz not null,
    primary key (tenant_id, id)
);
create index saved_methods_of_client on saved_methods (tenant_id, client_id, saved_at);

create table meetings (
    tenant_id uuid not null,
    id uuid not null,
    consultation_id uuid not null,
    state text not null,
    provider text,
    reference text,
    join_url text,
    sequence int not null,
    primary key (tenant_id, id)
);
create index meetings_of_consultation on meetings (tenant_id, consultation_id);

create table deliveries (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    consultation_id uuid,
    recipient_id uuid not null,
    state text not null,
    with_link boolean not null,
    at timestamptz not null,
    primary key (tenant_id, id)
);
create index deliveries_of_consultation on deliveries (tenant_id, consultation_id);

-- Where clients can be reached beside their mailbox.
create table contacts (
    tenant_id uuid not null,
    id uuid not null,
    client_id uuid not null,
    channel text not null,
    address text not null,
    label text not null,
    added_at timestamptz not null,
    primary key (tenant_id, id)
);
create index contacts_of_client on contacts (tenant_id, client_id);

-- Addresses that are left alone, by a key that stands for them: the address itself is kept nowhere here.
create table suppressions (
    tenant_id uuid not null,
    channel text not null,
    key text not null,
    reason text not null,
    since timestamptz not null,
    primary key (tenant_id, channel, key)
);

create table ratings (
    tenant_id uuid not null,
    id uuid not null,
    consultation_id uuid not null,
    partner_id uuid not null,
    client_id uuid not null,
    stars int not null check (stars between 1 and 5),
    comment text not null,
    public boolean not null,
    given_at timestamptz not null,
    answer text not null default '',
    answered_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, partner_id) references roster
);
create index ratings_of_partner on ratings (tenant_id, partner_id);

create table postings (
    tenant_id uuid not null,
    event_id uuid not null,
    line int not null,
    account text not null,
    partner_id uuid,
    payment_id uuid,
    consultation_id uuid,
    payout_id uuid,
    amount_minor int not null,
    currency text not null,
    at timestamptz not null,
    primary key (tenant_id, event_id, line)
);
create index postings_by_account on postings (tenant_id, account, at);

create table partner_agenda (
    tenant_id uuid not null,
    consultation_id uuid not null,
    partner_id uuid not null,
    tenant_name text not null,
    client_id uuid not null,
    client_name text not null,
    client_company text not null,
    client_zone text not null,
    brief text not null,
    industry text not null,
    urgency text not null,
    topics text[] not null,
    state text not null,
    money text not null,
    reason text,
    ended_by text,
    answer_until timestamptz,
    booked_at timestamptz not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    completed_at timestamptz,
    join_url text,
    price_minor int not null,
    currency text not null,
    partner_share int not null,
    primary key (tenant_id, consultation_id)
);
create index partner_agenda_of_partner on partner_agenda (partner_id, starts_at);

-- Which sessions a partner has opened: what the partner alone writes, and nobody else reads.
-- How a partner's calendar at a provider stands, and what the partner has allowed there, sealed under their key.
create table calendar_connections (
    partner_id uuid not null,
    provider text not null,
    state text not null check (state in ('works', 'broken', 'none')),
    reason text not null,
    since timestamptz not null,
    primary key (partner_id, provider)
);

create table calendar_tokens (
    partner_id uuid not null,
    provider text not null,
    sealed bytea not null,
    renewing_until timestamptz, -- who renews them has so long; real time
    primary key (partner_id, provider)
);

create table partner_opened (
    partner_id uuid not null,
    consultation_id uuid not null,
    opened_at timestamptz not null,
    primary key (partner_id, consultation_id)
);

-- The entries of partners' accounts: what a session brought, what went back of it, and the payout that has settled each.
create table partner_earnings (
    tenant_id uuid not null,
    event_id uuid not null,
    kind text not null check (kind in ('earned', 'refunded', 'frozen', 'released', 'returned', 'fee')),
    payment_id uuid,
    partner_id uuid not null,
    consultation_id uuid,
    tenant_name text not null,
    amount_minor int not null,
    fee_minor int not null,
    currency text not null,
    earned_at timestamptz not null,
    payout_id uuid,
    primary key (tenant_id, event_id)
);
create index partner_earnings_of_partner on partner_earnings (partner_id, earned_at);
create index partner_earnings_unpaid on partner_earnings (tenant_id, partner_id) where payout_id is null;

create table partner_payouts (
    tenant_id uuid not null,
    id uuid not null,
    partner_id uuid not null,
    tenant_name text not null,
    state text not null check (state in ('planned', 'paid', 'failed')),
    way text not null check (way in ('transfer', 'hand')),
    amount_minor int not null,
    reversed_minor int not null default 0,
    currency text not null,
    provider text not null,
    reference text,
    reason text,
    planned_at timestamptz not null,
    paid_at timestamptz,
    primary key (tenant_id, id)
);
create index partner_payouts_of_partner on partner_payouts (partner_id, planned_at);

-- Receipts and credit notes, each kind numbered in its tenant without gaps.
create table receipts (
    tenant_id uuid not null,
    kind text not null check (kind in ('receipt', 'credit_note')),
    number int not null,
    payment_id uuid not null,
    consultation_id uuid not null,
    client_id uuid not null,
    event_id uuid not null,
    amount_minor int not null,
    tax_minor int not null,
    tax_rate int not null,
    tax_name text not null,
    tax_id text not null,
    seller text not null,
    billed_to text not null,
    company text not null,
    expert text not null,
    starts_at timestamptz not null,
    what text not null,
    currency text not null,
    for_receipt int,
    issued_at timestamptz not null,
    primary key (tenant_id, kind, number)
);
create index receipts_of_client on receipts (tenant_id, client_id, issued_at);
create index receipts_of_payment on receipts (tenant_id, payment_id);

-- What the last check of each tenant's books has found; the newest row is the one that counts.
create table ledger_checks (
    tenant_id uuid not null,
    at timestamptz not null,
    compared int not null,
    differences jsonb not null,
    primary key (tenant_id, at)
);

-- Who may see and do what -------------------------------------------------------------------------------------------

do $$
declare t record;
begin
    for t in select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' loop
        execute format('alter table %I enable row level security', t.name);
        execute format('alter table %I force row level security', t.name);
        execute format('create policy owner on %I to {owner} using (true) with check (true)', t.name);
    end loop;
    -- Rows that carry their tenant: seen and written in that tenant's scope alone.
    foreach t.name in array array['events', 'person_keys', 'work', 'form_submissions', 'alarms', 'plugin_state', 'provider_hours', 'members',
        'invitations', 'tenant_logos', 'tokens', 'sign_ins', 'api_keys', 'api_answers', 'roster', 'clients', 'briefs', 'impressions', 'favourites', 'consultations', 'cases', 'payments', 'saved_methods', 'meetings', 'deliveries', 'ratings', 'postings',
        'partner_agenda', 'partner_earnings', 'partner_payouts', 'receipts', 'ledger_checks', 'preferences', 'suppressions', 'contacts'] loop
        execute format($p$create policy tenant on %I to {tenant}
            using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
            with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)$p$, t.name);
        execute format('grant select, insert on %I to {tenant}', t.name);
    end loop;
    foreach t.name in array array['person_keys', 'work', 'form_submissions', 'alarms', 'plugin_state', 'provider_hours', 'members', 'invitations', 'sign_ins', 'api_keys', 'api_answers', 'roster', 'clients', 'briefs', 'impressions',
        'consultations', 'cases', 'payments', 'saved_methods', 'meetings', 'deliveries', 'ratings', 'partner_agenda', 'partner_earnings', 'partner_payouts', 'receipts', 'preferences', 'suppressions'] loop
        execute format('grant update on %I to {tenant}', t.name);
    end loop;
    foreach t.name in array array['form_submissions', 'plugin_state', 'provider_hours', 'saved_methods', 'alarms', 'tokens', 'sign_ins', 'api_answers', 'tenant_logos', 'favourites', 'suppressions', 'contacts'] loop
        execute format('grant delete on %I to {tenant}', t.name);
    end loop;
    -- The operator and our own code read what they answer for.
    foreach t.name in array array['tenants', 'hosts', 'partners', 'availability', 'partner_standing', 'roster', 'partner_time', 'events', 'work',
        'alarms', 'consultations', 'cases', 'payments', 'postings', 'partner_earnings', 'partner_payouts', 'ledger_checks', 'meetings', 'operators',
        'operator_uses', 'subscription_cursors', 'provider_hours'] loop
        execute format('create policy operator on %I for select to {operator} using (true)', t.name);
        execute format('grant select on %I to {operator}', t.name);
    end loop;
    foreach t.name in array array['tenants', 'hosts', 'partners', 'partner_logins', 'partner_contacts', 'availability', 'partner_standing', 'roster',
        'work', 'operators', 'subscription_cursors', 'clock', 'ratings', 'person_keys', 'members', 'inbox', 'attempts'] loop
        execute format('create policy system on %I to {system} using (true) with check (true)', t.name);
    end loop;
    -- What everybody needs to know: the time and the epoch.
    foreach t.name in array array['clock', 'epoch'] loop
        execute format('create policy everybody on %I for select to {tenant}, {partner}, {operator} using (true)', t.name);
        execute format('grant select on %I to {tenant}, {partner}, {operator}, {system}', t.name);
    end loop;
end $$;
create policy system on epoch for select to {system} using (true);

-- Of a booking the operator reads all but what its people wrote to each other; what they wrote to the operator stands in `cases`.
revoke select on consultations from {operator};
do $$
begin
    execute (select format('grant select (%s) on consultations to {operator}', string_agg(quote_ident(attname), ', '))
             from pg_attribute where attrelid = 'consultations'::regclass and attnum > 0 and not attisdropped
             and attname <> 'words');
end $$;

-- Links and sign-ins of partners and operators, and those alone.
create policy system on tokens to {system} using (tenant_id = '00000000-0000-7000-8000-000000000000')
    with check (tenant_id = '00000000-0000-7000-8000-000000000000');
create policy system on sign_ins to {system} using (tenant_id = '00000000-0000-7000-8000-000000000000')
    with check (tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert, delete on tokens to {system};
grant select, insert, update, delete on sign_ins, attempts to {system};

grant select, insert, update on tenants, hosts, partners, partner_logins, partner_contacts, availability, partner_standing, roster, operators,
    subscription_cursors, clock, inbox to {system};
grant select, update on work to {system};
grant insert on work to {system};
grant select on ratings, members to {system};
grant select, insert, update on person_keys to {system};
create policy system_reads on events for select to {system} using (true);
create policy system_appends on events for insert to {system} with check (tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert on events to {system};
create policy system on deliveries to {system} using (true) with check (true);
grant insert, update on deliveries to {system};
create policy system on suppressions to {system} using (tenant_id = '00000000-0000-7000-8000-000000000000')
    with check (tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert, update, delete on suppressions to {system};
create policy system_alarms on alarms to {system} using (true) with check (true);
grant select, insert, update on alarms to {system};
-- The counters that must be zero, over all tenants.
do $$
declare name text;
begin
    foreach name in array array['consultations', 'payments', 'postings', 'partner_earnings', 'partner_time', 'meetings', 'ledger_checks', 'provider_hours'] loop
        execute format('create policy system_counts on %I for select to {system} using (true)', name);
        execute format('grant select on %I to {system}', name);
    end loop;
end $$;
grant insert on operator_uses to {operator};
create policy operator_writes on operator_uses for insert to {operator} with check (operator_id = nullif(current_setting('fxo.operator', true), '')::uuid);
create policy operator_settles on alarms for update to {operator} using (true) with check (true);
grant update (settled_at, settled_by, note) on alarms to {operator};
create policy operator_counts on members for select to {operator} using (true);
grant select (tenant_id, role, deactivated_at) on members to {operator};

-- A tenant sees itself, its hosts, and of the network only the partners on its roster.
create policy tenant on tenants for select to {tenant} using (id = nullif(current_setting('fxo.tenant', true), '')::uuid);
create policy tenant_edits on tenants for update to {tenant} using (id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (id = nullif(current_setting('fxo.tenant', true), '')::uuid);
grant update (name, brand, price_minor, tax, policy, asks_first, providers) on tenants to {tenant};
create policy tenant on hosts for select to {tenant} using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);
create policy tenant on partners for select to {tenant} using (id in (select r.partner_id from roster r));
create policy tenant on availability for select to {tenant} using (partner_id in (select r.partner_id from roster r));
create policy tenant on partner_contacts for select to {tenant} using (partner_id in (select r.partner_id from roster r));
create policy tenant on partner_standing for select to {tenant} using (partner_id in (select r.partner_id from roster r));
create policy tenant on partner_time for select to {tenant} using (partner_id in (select r.partner_id from roster r));
grant select on tenants, hosts, partners, availability, partner_contacts, partner_standing to {tenant};
grant select (partner_id, during, starts_at, ends_at) on partner_time to {tenant};

-- Calendars: a tenant and the partner see how a connection stands; nobody but our own code touches what was allowed.
create policy tenant on calendar_connections for select to {tenant} using (partner_id in (select r.partner_id from roster r));
create policy partner on calendar_connections for select to {partner}
    using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy system on calendar_connections to {system} using (true) with check (true);
create policy system on calendar_tokens to {system} using (true) with check (true);
grant select on calendar_connections to {tenant}, {partner};
grant select, insert, update on calendar_connections to {system};
grant select, insert, update, delete on calendar_tokens to {system};

-- A partner sees what was made for partners, and writes own network rows.
create policy partner on partner_agenda for select to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_earnings for select to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_opened to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_time for select to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_contacts to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partners to {partner} using (id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on availability to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_standing for select to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on events to {partner}
    using (tenant_id = '00000000-0000-7000-8000-000000000000' and stream_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (tenant_id = '00000000-0000-7000-8000-000000000000' and stream_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on work to {partner}
    using (tenant_id = '00000000-0000-7000-8000-000000000000' and stream_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (tenant_id = '00000000-0000-7000-8000-000000000000' and stream_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on person_keys to {partner}
    using (tenant_id = '00000000-0000-7000-8000-000000000000' and person_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (tenant_id = '00000000-0000-7000-8000-000000000000' and person_id = nullif(current_setting('fxo.partner', true), '')::uuid);
create policy partner on partner_payouts for select to {partner} using (partner_id = nullif(current_setting('fxo.partner', true), '')::uuid);
grant select on partner_agenda, partner_earnings, partner_payouts, partner_standing to {partner};
grant select, insert on partner_opened to {partner};
grant select (partner_id, during, starts_at, ends_at) on partner_time to {partner};
grant select, insert, update on partner_contacts to {partner};
grant select, insert on partners to {partner};
grant update (id, slug, name, title, headline, bio, roles, skills, industries, certifications, cases, languages, years, country, zone,
    visible_to, updated_at) on partners to {partner}; -- whether one is suspended is not one's own to say
grant select, insert, update on availability to {partner};
grant select, insert on events, work, person_keys to {partner};
grant update (adopted_by) on person_keys to {partner}; -- to lock a key while something is sealed under it

-- The forms of partners and operators are kept under NETWORK.
create policy partner on form_submissions to {partner} using (actor_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (actor_id = nullif(current_setting('fxo.partner', true), '')::uuid and tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert, update, delete on form_submissions to {partner};
create policy operator_forms on form_submissions to {operator} using (actor_id = nullif(current_setting('fxo.operator', true), '')::uuid)
    with check (actor_id = nullif(current_setting('fxo.operator', true), '')::uuid and tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert, update, delete on form_submissions to {operator};

-- So are their preferences; who signs in is looked up together with them.
create policy partner on preferences to {partner} using (person_id = nullif(current_setting('fxo.partner', true), '')::uuid)
    with check (person_id = nullif(current_setting('fxo.partner', true), '')::uuid and tenant_id = '00000000-0000-7000-8000-000000000000');
create policy operator_own on preferences to {operator} using (person_id = nullif(current_setting('fxo.operator', true), '')::uuid)
    with check (person_id = nullif(current_setting('fxo.operator', true), '')::uuid and tenant_id = '00000000-0000-7000-8000-000000000000');
grant select, insert, update on preferences to {partner}, {operator};
create policy system on preferences for select to {system} using (tenant_id = '00000000-0000-7000-8000-000000000000');
grant select on preferences to {system};

-- Nothing may be called by everybody.
revoke execute on all functions in schema public from public;
grant execute on function append_facts to {tenant}, {partner}, {system};
grant execute on function take_time, keep_time, move_time, free_time to {tenant};
grant usage on schema public to {app}, {tenant}, {partner}, {operator}, {system};
