"""The table walk: what in the database could let one tenant see another (architecture, section 6). It changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from fxo.core.scope import DEFINER_FUNCTIONS, NETWORK_TABLES
from fxo.settings import Settings

Connection = psycopg.Connection[Any]

TENANTS_OWN = "(tenant_id = (NULLIF(current_setting('fxo.tenant'::text, true), ''::text))::uuid)"
"""The one rule by which a tenant's role sees and writes rows, as PostgreSQL spells it back."""

OURS = "n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"
NOT_OF_AN_EXTENSION = "not exists (select from pg_depend d where d.objid = {} and d.deptype = 'e')"


def problems(connection: Connection, settings: Settings) -> list[str]:
    """One sentence for each way in which isolation is not closed; empty where all is well. Any login may ask.

    A table of a plugin belongs to the network where its comment says so: `comment on table ... is 'network: <reason>'`.
    """
    return [
        *_tables(connection, settings),
        *_policies_to_all(connection),
        *_views(connection),
        *_functions(connection),
        *_roles(connection, settings),
    ]


def _tables(connection: Connection, settings: Settings) -> Iterator[str]:
    tenant, owner, app = (settings.role(name) for name in ("tenant", "owner", "app"))
    found = set()
    values = {"tenant": tenant, "owner": owner, "app": app, "rule": TENANTS_OWN, "network": list(NETWORK_TABLES)}
    for table in connection.execute(_TABLES, values).fetchall():
        schema, name, secured, forced, has_tenant, comment, rules, other_rules, for_owner, for_app, foreign = table
        label = name if schema == "public" else f"{schema}.{name}"
        found.add(label)
        network = label in NETWORK_TABLES or (schema.startswith("plugin_") and re.match(r"network: \S", comment or ""))
        if not network and not has_tenant:
            yield f"Table {label} has no tenant_id and is not listed as the network's."
        elif not network and not rules:
            yield f"Table {label} has no policy that shows a tenant its own rows, and is not listed as the network's."
        if not network and other_rules:
            others = ", ".join(other_rules)
            yield f"Table {label} has a policy for {tenant} with another rule than the tenant's own rows: {others}."
        if not network and foreign:
            yield f"Table {label} refers to {', '.join(foreign)} of the network; foreign keys look past policies."
        if not secured:
            yield f"Table {label} has no row level security."
        elif not forced:
            yield f"Table {label} does not force row level security on its owner."
        if not for_owner:
            yield f"Table {label} has no policy for {owner}; under FORCE its migrations would silently change nothing."
        if for_app:
            yield f"Table {label} can be reached by {app} without a scope."
    for name in sorted(NETWORK_TABLES.keys() - found):
        yield f"Table {name} is listed as the network's and does not exist."


def _policies_to_all(connection: Connection) -> Iterator[str]:
    for schema, table, name in connection.execute(
        "select schemaname, tablename, policyname from pg_policies where 'public' = any(roles) order by 1, 2, 3"
    ):
        yield f"Policy {name} of {schema}.{table} is for everybody."


def _views(connection: Connection) -> Iterator[str]:
    for label, kind, invoker in connection.execute(_VIEWS):
        if kind == "m":
            yield f"{label} is a materialised view, which no policy can guard."
        elif kind == "f":
            yield f"{label} is a foreign table, which no policy can guard."
        elif not invoker:
            yield f"View {label} runs with its owner's rights; make it with (security_invoker = true)."


def _functions(connection: Connection) -> Iterator[str]:
    found = set()
    for schema, name, signature, definer, has_path, for_all in connection.execute(_FUNCTIONS):
        if definer:
            found.add(name)
            if schema != "public" or name not in DEFINER_FUNCTIONS:
                yield f"Function {signature} runs with its owner's rights and is not listed."
            if not has_path:
                yield f"Function {signature} runs with its owner's rights and sets no search_path."
        if for_all:
            yield f"Function {signature} may be executed by everybody."
    for name in sorted(DEFINER_FUNCTIONS.keys() - found):
        yield f"Function {name} is listed as running with its owner's rights and does not exist so."


def _roles(connection: Connection, settings: Settings) -> Iterator[str]:
    owner, app = settings.role("owner"), settings.role("app")
    names = {name: settings.role(name) for name in ("owner", "app", "tenant", "partner", "operator", "system")}
    rows = connection.execute(
        "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin, rolinherit from pg_roles where rolname = any(%s)",
        (list(names.values()),),
    ).fetchall()
    for missing in sorted(set(names.values()) - {row[0] for row in rows}):
        yield f"Role {missing} does not exist."
    for role, superuser, bypass, creates, logs_in, inherits in sorted(rows):
        if superuser:
            yield f"Role {role} is a superuser."
        if bypass:
            yield f"Role {role} bypasses row level security."
        if creates:
            yield f"Role {role} may create roles, and so become any."
        if logs_in != (role in (names["app"], names["operator"], names["system"])):
            yield f"Role {role} {'may' if logs_in else 'may not'} log in."
        if role != owner and _may(connection, role, owner, "MEMBER"):
            yield f"Role {role} may become {owner}."
        if role == app:
            inherited = [each for each in (names["tenant"], names["partner"]) if _may(connection, app, each, "USAGE")]
            if inherits or inherited:
                whose = " and ".join(inherited) or "its roles"
                yield f"Role {app} inherits what {whose} may do; without a scope it must do nothing."


def _may(connection: Connection, role: str, other: str, how: str) -> bool:
    row = connection.execute(
        "select pg_has_role(r.oid, o.oid, %s) from pg_roles r, pg_roles o where r.rolname = %s and o.rolname = %s",
        (how, role, other),
    ).fetchone()
    return bool(row and row[0])


_TABLES = f"""
with policies as (
    select schemaname, tablename, policyname, permissive,
           %(tenant)s = any(roles) as for_tenant, %(owner)s = any(roles) as for_owner,
           (cmd = 'INSERT' or qual = %(rule)s) and (with_check is null or with_check = %(rule)s) as fits
    from pg_policies
)
select n.nspname, c.relname, c.relrowsecurity, c.relforcerowsecurity,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.atttypid = 'uuid'::regtype
               and a.attnotnull and not a.attisdropped),
       obj_description(c.oid, 'pg_class'),
       exists (select from policies p where (p.schemaname, p.tablename) = (n.nspname, c.relname) and p.for_tenant and p.fits),
       array(select p.policyname::text from policies p where (p.schemaname, p.tablename) = (n.nspname, c.relname) and p.for_tenant
             and p.permissive = 'PERMISSIVE' and not p.fits),
       exists (select from policies p where (p.schemaname, p.tablename) = (n.nspname, c.relname) and p.for_owner),
       coalesce((select has_table_privilege(r.oid, c.oid, 'select, insert, update, delete, truncate')
                 or has_any_column_privilege(r.oid, c.oid, 'select, insert, update')
                 from pg_roles r where r.rolname = %(app)s), false),
       array(select f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid where k.conrelid = c.oid
             and k.contype = 'f' and f.relname = any(%(network)s))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and {OURS} and {NOT_OF_AN_EXTENSION.format("c.oid")}
order by 1, 2"""

_VIEWS = f"""
select c.oid::regclass::text, c.relkind::text, coalesce('security_invoker=true' = any(c.reloptions), false)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('v', 'm', 'f') and {OURS} and {NOT_OF_AN_EXTENSION.format("c.oid")}
order by 1"""

_FUNCTIONS = f"""
select n.nspname, p.proname, p.oid::regprocedure::text, p.prosecdef,
       coalesce(array_to_string(p.proconfig, ' ') like '%search_path=%', false),
       has_function_privilege('public', p.oid, 'execute')
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where {OURS} and {NOT_OF_AN_EXTENSION.format("p.oid")}
order by 1, 2, 3"""
