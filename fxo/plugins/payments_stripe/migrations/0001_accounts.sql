-- Which account at Stripe pays which expert: one for all tenants of a platform account, in each mode.

create schema plugin_payments_stripe;

create table plugin_payments_stripe.accounts (
    partner_id uuid not null,
    platform text not null,
    account text not null,
    primary key (partner_id, platform)
);
comment on table plugin_payments_stripe.accounts is 'network: an expert has one account for being paid, whichever tenant pays';

alter table plugin_payments_stripe.accounts enable row level security;
alter table plugin_payments_stripe.accounts force row level security;
create policy accounts_owner on plugin_payments_stripe.accounts to {owner} using (true) with check (true);
create policy accounts_system on plugin_payments_stripe.accounts to {system} using (true) with check (true);

grant usage on schema plugin_payments_stripe to {system};
grant select, insert on plugin_payments_stripe.accounts to {system};
