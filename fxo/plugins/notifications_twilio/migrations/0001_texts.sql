-- What was handed to Twilio: so that nothing is texted twice, reports find their message, and a month costs no more than it may.
-- No number and no text stands here.

create schema plugin_notifications_twilio;

create table plugin_notifications_twilio.texts (
    tenant_id uuid not null,
    message_id text not null,
    sid text unique,
    month date not null,
    cost numeric(12, 6) not null check (cost >= 0),
    begun_at timestamptz not null,
    primary key (tenant_id, message_id)
);
create index texts_of_month on plugin_notifications_twilio.texts (tenant_id, month);

alter table plugin_notifications_twilio.texts enable row level security;
alter table plugin_notifications_twilio.texts force row level security;
create policy texts_owner on plugin_notifications_twilio.texts to {owner} using (true) with check (true);
create policy texts_tenant on plugin_notifications_twilio.texts to {tenant}
    using (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid)
    with check (tenant_id = nullif(current_setting('fxo.tenant', true), '')::uuid);

grant usage on schema plugin_notifications_twilio to {tenant};
grant select, insert, update, delete on plugin_notifications_twilio.texts to {tenant};
