-- Stands in for supabase_vault 0.3.1: same table, view, functions and grants. The cipher differs (the real one is
-- libsodium's): AES-256 in CBC mode under a key of its own for every nonce, then HMAC-SHA-256 over all of it.
\echo Use "create extension supabase_vault" to load this file. \quit

grant usage on schema vault to postgres with grant option;
grant usage on schema vault to service_role;

-- The root key is a file of the server, as on hosted, and no row: `postgres` may read every table. It outlives the
-- extension, so that nothing encrypted is lost when the extension is made again.
do $$
begin
  if pg_catalog.pg_stat_file('vault_root.key', true) is null then
    execute pg_catalog.format(
      'copy (select pg_catalog.encode(@extschema:pgcrypto@.gen_random_bytes(32), ''hex'')) to %L',
      pg_catalog.current_setting('data_directory') || '/vault_root.key'
    );
  end if;
end;
$$;

-- Functions: the cipher

create function vault._key(purpose text, key_id bigint, context bytea, nonce bytea)
returns bytea
language sql stable security definer set search_path = ''
as $$
  select @extschema:pgcrypto@.hmac(
    pg_catalog.convert_to(purpose || '/' || key_id, 'utf8') || context || nonce,
    pg_catalog.decode(pg_catalog.btrim(pg_catalog.pg_read_file('vault_root.key'), E'\n'), 'hex'),
    'sha256'
  )
$$;

create function vault._tag(ciphertext bytea, additional bytea, key_id bigint, context bytea, nonce bytea)
returns bytea
language sql stable security definer set search_path = ''
as $$
  select @extschema:pgcrypto@.hmac(
    -- The length keeps a byte from moving between the two parts unseen.
    pg_catalog.int8send(pg_catalog.octet_length(additional)) || additional || ciphertext,
    vault._key('tag', key_id, context, nonce),
    'sha256'
  )
$$;

create function vault._crypto_aead_det_noncegen()
returns bytea
language sql volatile set search_path = ''
as $$
  select @extschema:pgcrypto@.gen_random_bytes(32)
$$;

create function vault._crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
)
returns bytea
language plpgsql stable security definer set search_path = ''
as $$
declare
  ciphertext bytea;
begin
  nonce := coalesce(nonce, ''::bytea);
  ciphertext := @extschema:pgcrypto@.encrypt_iv(
    message,
    vault._key('message', key_id, context, nonce),
    pg_catalog.substr(vault._key('start', key_id, context, nonce), 1, 16),
    'aes-cbc'
  );
  return vault._tag(ciphertext, additional, key_id, context, nonce) || ciphertext;
end;
$$;

create function vault._crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
)
returns bytea
language plpgsql stable security definer set search_path = ''
as $$
declare
  ciphertext bytea := pg_catalog.substr(message, 33);
begin
  nonce := coalesce(nonce, ''::bytea);
  if pg_catalog.substr(message, 1, 32) is distinct from vault._tag(ciphertext, additional, key_id, context, nonce) then
    raise exception 'pgsodium_crypto_aead_det_decrypt_by_id: invalid ciphertext' using errcode = 'data_exception';
  end if;
  return @extschema:pgcrypto@.decrypt_iv(
    ciphertext,
    vault._key('message', key_id, context, nonce),
    pg_catalog.substr(vault._key('start', key_id, context, nonce), 1, 16),
    'aes-cbc'
  );
end;
$$;

-- Tables

create table vault.secrets (
  id uuid primary key default pg_catalog.gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea default vault._crypto_aead_det_noncegen(),
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create unique index secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';

create view vault.decrypted_secrets as
select
  s.id,
  s.name,
  s.description,
  s.secret,
  pg_catalog.convert_from(
    vault._crypto_aead_det_decrypt(
      pg_catalog.decode(s.secret, 'base64'), pg_catalog.convert_to(s.id::text, 'utf8'), 0, 'pgsodium'::bytea, s.nonce
    ),
    'utf8'
  ) as decrypted_secret,
  s.key_id,
  s.nonce,
  s.created_at,
  s.updated_at
from vault.secrets as s;

-- Functions: the door

create function vault.create_secret(
  new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
)
returns uuid
language plpgsql security definer set search_path = ''
as $$
declare
  new_id uuid := pg_catalog.gen_random_uuid();
  new_nonce bytea := vault._crypto_aead_det_noncegen();
begin
  insert into vault.secrets (id, name, description, nonce, secret)
  values (
    new_id,
    new_name,
    new_description,
    new_nonce,
    pg_catalog.encode(
      vault._crypto_aead_det_encrypt(
        pg_catalog.convert_to(new_secret, 'utf8'), pg_catalog.convert_to(new_id::text, 'utf8'), 0, 'pgsodium', new_nonce
      ),
      'base64'
    )
  );
  return new_id;
end;
$$;

create function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update vault.secrets as s
  set
    secret = case
      when new_secret is null then s.secret
      else pg_catalog.encode(
        vault._crypto_aead_det_encrypt(
          pg_catalog.convert_to(new_secret, 'utf8'), pg_catalog.convert_to(s.id::text, 'utf8'), 0, 'pgsodium', s.nonce
        ),
        'base64'
      )
    end,
    name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description),
    updated_at = pg_catalog.now()
  where s.id = secret_id;
end;
$$;

-- Grants

revoke all on all functions in schema vault from public;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres with grant option;
grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
to postgres with grant option;
grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt to service_role;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');
