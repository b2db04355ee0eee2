-- Stands in for pg_net 0.19.5: same tables, types, functions and grants. The requests are made by a worker outside the
-- database, which `net.wake` reaches when the transaction commits.
\echo Use "create extension pg_net" to load this file. \quit

create schema net;

-- Types

create domain net.http_method as text
check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');

create type net.http_response as (status_code integer, headers jsonb, body text);

create type net.http_response_result as (status net.request_status, message text, response net.http_response);

-- Tables

create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default pg_catalog.now()
);
create index _http_response_created_idx on net._http_response (created);

-- Functions: the worker

create function net.check_worker_is_up()
returns void
language plpgsql set search_path = ''
as $$
begin
  if not exists (
    select from pg_catalog.pg_stat_activity
    where datname = pg_catalog.current_database() and application_name = 'pg_net worker'
  ) then
    raise exception 'the pg_net background worker is not up' using
      detail = 'the pg_net background worker is down due to an internal error and cannot process requests',
      hint = 'make sure that you didn''t modify any of pg_net internal tables';
  end if;
end;
$$;
comment on function net.check_worker_is_up()
is 'raises an exception if the pg_net background worker is not up, otherwise it doesn''t return anything';

create function net.wait_until_running()
returns void
language plpgsql set search_path = ''
as $$
begin
  loop
    begin
      perform net.check_worker_is_up();
      return;
    exception when raise_exception then
      perform pg_catalog.pg_sleep(0.05);
      -- What pg_stat_activity said is remembered until the transaction ends.
      perform pg_catalog.pg_stat_clear_snapshot();
    end;
  end loop;
end;
$$;
comment on function net.wait_until_running() is 'waits until the worker is running';

create function net.wake()
returns void
language plpgsql set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pg_net', '');
end;
$$;

create function net.worker_restart()
returns boolean
language plpgsql set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pg_net', 'restart');
  return true;
end;
$$;

-- Functions: URLs

create function net._urlencode_string(string varchar)
returns text
language sql immutable set search_path = ''
as $$
  select pg_catalog.string_agg(
    case
      when byte between 48 and 57 or byte between 65 and 90 or byte between 97 and 122 or byte in (45, 46, 95, 126)
        then pg_catalog.chr(byte)
      else '%' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(byte), 2, '0'))
    end,
    '' order by place
  )
  from (
    select place, pg_catalog.get_byte(pg_catalog.convert_to(string, 'utf8'), place) as byte
    from pg_catalog.generate_series(0, pg_catalog.octet_length(string) - 1) as place
  ) as bytes
$$;

create function net._encode_url_with_params_array(url text, params_array text[])
returns text
language plpgsql immutable strict set search_path = ''
as $$
declare
  -- Scheme and host, path, query, fragment.
  parts text[] := pg_catalog.regexp_match(url, '^(https?://[^/?#]+)([^?#]*)(\?[^#]*)?(#.*)?$', 'i');
  query text;
begin
  if parts is null then
    if url ~* '^[a-z][a-z0-9+.-]*:' and url !~* '^https?:' then
      raise exception 'Unsupported URL scheme: "%"', url;
    end if;
    raise exception 'invalid URL "%"', url;
  end if;
  query := pg_catalog.concat_ws(
    '&',
    nullif(pg_catalog.substr(parts[3], 2), ''),
    nullif(pg_catalog.array_to_string(params_array, '&'), '')
  );
  return parts[1] || coalesce(nullif(parts[2], ''), '/') || case query when '' then '' else '?' || query end
    || coalesce(parts[4], '');
end;
$$;

create function net._encode_url(url text, params jsonb)
returns text
language sql immutable set search_path = ''
as $$
  select net._encode_url_with_params_array(
    url,
    array(
      select coalesce(net._urlencode_string(key), '') || '=' || coalesce(net._urlencode_string(value), '')
      from pg_catalog.jsonb_each_text(params)
    )
  )
$$;

-- Functions: requests

create function net.http_get(
  url text, params jsonb default '{}', headers jsonb default '{}', timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, timeout_milliseconds)
  values ('GET', net._encode_url(url, params), headers, timeout_milliseconds)
  returning id into request_id;
  perform net.wake();
  return request_id;
end;
$$;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds integer default 5000
)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  content_type text := (
    select value
    from pg_catalog.jsonb_each_text(coalesce(headers, '{}'))
    where pg_catalog.lower(key) = 'content-type'
    limit 1
  );
  request_id bigint;
begin
  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'POST', net._encode_url(url, params), headers, pg_catalog.convert_to(body::text, 'utf8'), timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end;
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000,
  body jsonb default null
)
returns bigint
language plpgsql set search_path = ''
as $$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    'DELETE', net._encode_url(url, params), headers, pg_catalog.convert_to(body::text, 'utf8'), timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end;
$$;

-- Functions: responses

create function net._await_response(request_id bigint)
returns boolean
language plpgsql set search_path = ''
as $$
begin
  while not exists (select from net._http_response where id = request_id) loop
    perform pg_catalog.pg_sleep(0.05);
  end loop;
  return true;
end;
$$;

create function net._http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql set search_path = ''
as $$
declare
  response net._http_response;
begin
  if not async then
    perform net._await_response(request_id);
  end if;
  select * into response from net._http_response where id = request_id;
  if response.id is null or response.error_msg is not null then
    return row(
      'ERROR', coalesce(response.error_msg, 'request matching request_id not found'), null
    )::net.http_response_result;
  end if;
  return row(
    'SUCCESS', 'ok', row(response.status_code, response.headers, response.content)::net.http_response
  )::net.http_response_result;
end;
$$;

create function net.http_collect_response(request_id bigint, async boolean default true)
returns net.http_response_result
language plpgsql set search_path = ''
as $$
begin
  raise notice 'The net.http_collect_response function is deprecated.';
  return net._http_collect_response(request_id, async);
end;
$$;

-- Grants: the real extension gives everything to everybody, and so does hosted.

grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
