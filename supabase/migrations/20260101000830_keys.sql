-- Keys: the public halves of the keys that people encrypt to each other with, and who has compared whose.
--
-- The server holds public keys only. What is none, a private key above all, is refused before it is stored anywhere.

-- Tables
create table public.user_encryption_keys (
  id uuid primary key default private.uuid_v7(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  device_id text not null,
  key_id text not null,
  public_key text not null,
  fingerprint text not null,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  constraint user_encryption_keys_one_per_key_id unique (user_id, key_id),
  constraint device_id_is_1_to_255_chars check (char_length(device_id) between 1 and 255),
  constraint key_id_is_1_to_255_chars check (char_length(key_id) between 1 and 255),
  constraint fingerprint_is_a_sha256 check (fingerprint ~ '^[0-9A-F]{64}$')
);

create table public.key_verifications (
  id uuid primary key default private.uuid_v7(),
  verifier_user_id uuid not null references public.profiles (id) on delete cascade,
  verified_user_id uuid not null,
  key_id text not null,
  verified_at timestamptz not null default now(),
  constraint key_verifications_one_per_verifier unique (verifier_user_id, verified_user_id, key_id),
  constraint verified_keys_exist
  foreign key (verified_user_id, key_id) references public.user_encryption_keys (user_id, key_id) on delete cascade
);

-- Indexes
create index key_verifications_key_idx on public.key_verifications (verified_user_id, key_id);

-- Functions: whose keys
-- Those whose keys somebody may see, and who may see theirs: whoever shares a room. The staff of a hotel share the rooms
-- of its guests.
create function private.key_mate_ids(p_user_id uuid)
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return array(
    select private.room_mate_ids(p_user_id)
    union
    select p_user_id
    union
    select theirs.user_id
    from public.organization_members as mine
    join public.organization_members as theirs using (organization_id)
    where mine.user_id = p_user_id
      and exists (
        select
        from public.chat_rooms as r
        where r.organization_id = mine.organization_id and r.type = 'guest' and r.closed_at is null
      )
  );
end;
$$;

create function private.my_key_mate_ids()
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
begin
  return private.key_mate_ids(private.my_id());
end;
$$;

create function private.require_key_mate(p_user_id uuid)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if not exists (select from public.profiles where id = p_user_id) then
    perform private.refuse('user_not_found');
  elsif p_user_id <> all (private.key_mate_ids(me)) then
    perform private.refuse('not_a_room_mate');
  end if;
end;
$$;

create function private.is_in_use(p_key public.user_encryption_keys)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return p_key.is_active and (p_key.expires_at is null or p_key.expires_at > now());
end;
$$;

-- Triggers
-- Who is online stops encrypting to a key that is over, and sees that somebody's keys are no longer those that were
-- compared. One's own other devices are told too.
create function private.announce_key()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.tell_user(
    user_id,
    'encryption-key-changed',
    jsonb_build_object(
      'user_id', new.user_id,
      'device_id', new.device_id,
      'key_id', new.key_id,
      'fingerprint', new.fingerprint,
      'is_active', new.is_active
    )
  )
  from public.user_presence
  where user_id = any (private.key_mate_ids(new.user_id)) and online_until > now();
  return null;
end;
$$;

create trigger announce_key
after insert or update of is_active on public.user_encryption_keys
for each row execute function private.announce_key();

-- Functions
-- The key that somebody has uploaded by this id already. What stands by it stays: another key, another device or a key
-- that is over is refused.
create function private.uploaded_key(p_user_id uuid, p_device_id text, p_key_id text, p_fingerprint text)
returns public.user_encryption_keys
language plpgsql stable security definer set search_path = ''
as $$
declare
  key public.user_encryption_keys;
begin
  select * into key from public.user_encryption_keys where user_id = p_user_id and key_id = p_key_id;
  if key.id is not null
    and ((key.device_id, key.fingerprint) <> (p_device_id, p_fingerprint) or not private.is_in_use(key))
  then
    perform private.refuse('key_id_taken');
  end if;
  return key;
end;
$$;

create function private.upload_encryption_key(
  p_public_key text, p_device_id text, p_key_id text, p_expires_at timestamptz
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  der bytea := private.public_key_der(p_public_key);
  -- Not `fingerprint`: a column has that name.
  digest text := upper(encode(sha256(der), 'hex'));
  key public.user_encryption_keys;
begin
  if der is null then
    perform private.refuse('not_a_public_key');
  elsif (char_length(p_device_id) between 1 and 255) is not true then
    perform private.refuse('device_id_invalid');
  elsif (char_length(p_key_id) between 1 and 255) is not true then
    perform private.refuse('key_id_invalid');
  end if;

  -- An account's end takes its profile first, and its keys then.
  perform from public.profiles where id = me for key share;
  if not found then
    perform private.refuse('user_not_found');
  end if;

  key := private.uploaded_key(me, p_device_id, p_key_id, digest);
  if key.id is null then
    if p_expires_at <= now() then
      perform private.refuse('expiry_in_the_past');
    end if;
    perform private.take_token(me, 'key_upload', private.limit_of('key_uploads_per_hour'), '1 hour');
    -- Asked again, now that one's other uploads have to wait.
    key := private.uploaded_key(me, p_device_id, p_key_id, digest);
    if key.id is not null then
      perform private.return_token(me, 'key_upload');
    elsif private.limit_of('keys_per_user') <= (
      select count(*) from public.user_encryption_keys as k where k.user_id = me and private.is_in_use(k)
    ) then
      perform private.refuse('too_many_keys');
    else
      insert into public.user_encryption_keys (user_id, device_id, key_id, public_key, fingerprint, expires_at)
      values (me, p_device_id, p_key_id, p_public_key, digest, p_expires_at)
      returning * into key;
    end if;
  end if;
  return jsonb_build_object('key_id', key.key_id, 'fingerprint', key.fingerprint, 'uploaded_at', key.created_at);
end;
$$;

create function public.upload_encryption_key(
  p_public_key text, p_device_id text, p_key_id text, p_expires_at timestamptz default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.upload_encryption_key(p_public_key, p_device_id, p_key_id, p_expires_at);
end;
$$;

create function private.get_encryption_keys(p_user_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  perform private.require_key_mate(p_user_id);
  return jsonb_build_object(
    'user_id',
    p_user_id,
    'keys',
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'key_id', key.key_id,
            'device_id', key.device_id,
            'public_key', key.public_key,
            'fingerprint', key.fingerprint,
            'created_at', key.created_at,
            'is_active', private.is_in_use(key),
            'verified', mine.id is not null
          )
          order by key.created_at desc, key.id desc
        ),
        '[]'
      )
      from public.user_encryption_keys as key
      left join public.key_verifications as mine
        on mine.verifier_user_id = me and mine.verified_user_id = key.user_id and mine.key_id = key.key_id
      where key.user_id = p_user_id and (p_user_id = me or private.is_in_use(key))
    )
  );
end;
$$;

create function public.get_encryption_keys(p_user_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.get_encryption_keys(p_user_id);
end;
$$;

create function private.verify_encryption_key(p_user_id uuid, p_key_id text, p_fingerprint text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  -- People read it to each other in groups.
  digits text := upper(regexp_replace(left(p_fingerprint, 200), '[\s:]', '', 'g'));
  key public.user_encryption_keys;
begin
  perform private.require_key_mate(p_user_id);
  if coalesce(char_length(digits), 0) < 12 then
    perform private.refuse('fingerprint_too_short');
  end if;

  perform from public.profiles where id = me for key share;
  -- Revoking it waits, or has happened.
  select * into key from public.user_encryption_keys where user_id = p_user_id and key_id = p_key_id for share;
  if key.id is null then
    perform private.refuse('key_not_found');
  elsif not private.is_in_use(key) then
    perform private.refuse('key_not_in_use');
  elsif not starts_with(key.fingerprint, digits) then
    perform private.refuse('fingerprint_mismatch');
  end if;

  insert into public.key_verifications (verifier_user_id, verified_user_id, key_id)
  values (me, p_user_id, p_key_id)
  on conflict (verifier_user_id, verified_user_id, key_id) do nothing;
end;
$$;

create function public.verify_encryption_key(p_user_id uuid, p_key_id text, p_fingerprint text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.verify_encryption_key(p_user_id, p_key_id, p_fingerprint);
end;
$$;

create function private.revoke_encryption_key(p_key_id text, p_device_id text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if not exists (
    select from public.user_encryption_keys where user_id = me and key_id = p_key_id and device_id = p_device_id
  ) then
    perform private.refuse('key_not_found');
  end if;
  update public.user_encryption_keys
  set is_active = false
  where user_id = me and key_id = p_key_id and is_active;
end;
$$;

create function public.revoke_encryption_key(p_key_id text, p_device_id text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.revoke_encryption_key(p_key_id, p_device_id);
end;
$$;

-- Functions: encrypted messages
-- Whether this is an envelope {v, keys, body}: how it looks, for what is in it the server cannot read.
create function private.is_envelope(p_text text)
returns boolean
language plpgsql immutable set search_path = ''
as $$
declare
  envelope jsonb;
begin
  if octet_length(p_text) > 131072 then
    return false;
  end if;
  envelope := p_text;
  return coalesce(
    (jsonb_typeof(envelope -> 'v'), jsonb_typeof(envelope -> 'keys'), jsonb_typeof(envelope -> 'body'))
    = ('number', 'object', 'string'),
    false
  );
exception
  -- No JSON, or lists in lists in lists, as deep as they come.
  when data_exception or program_limit_exceeded then
    return false;
end;
$$;

create function private.require_key_in_use(p_user_id uuid, p_key_id text)
returns void
language plpgsql stable security definer set search_path = ''
as $$
begin
  if not exists (
    select
    from public.user_encryption_keys as key
    where key.user_id = p_user_id and key.key_id = p_key_id and private.is_in_use(key)
  ) then
    perform private.refuse('unknown_encryption_key');
  end if;
end;
$$;

-- Policies
alter table public.user_encryption_keys enable row level security;
alter table public.key_verifications enable row level security;

create policy "Users see their own keys, and those in use of who shares a room"
on public.user_encryption_keys for select to authenticated
using (
  user_id = (select private.my_id())
  or (
    is_active
    and (expires_at is null or expires_at > now())
    and user_id = any ((select private.my_key_mate_ids())::uuid[])
  )
);

create policy "Users see which keys they have verified"
on public.key_verifications for select to authenticated
using (verifier_user_id = (select private.my_id()));

-- Grants
revoke all on public.user_encryption_keys, public.key_verifications from anon, authenticated;
grant select on public.user_encryption_keys, public.key_verifications to authenticated;
grant execute on function private.my_key_mate_ids() to authenticated;
grant execute on function private.upload_encryption_key(text, text, text, timestamptz) to authenticated;
grant execute on function private.get_encryption_keys(uuid) to authenticated;
grant execute on function private.verify_encryption_key(uuid, text, text) to authenticated;
grant execute on function private.revoke_encryption_key(text, text) to authenticated;
grant execute on function public.upload_encryption_key(text, text, text, timestamptz) to authenticated;
grant execute on function public.get_encryption_keys(uuid) to authenticated;
grant execute on function public.verify_encryption_key(uuid, text, text) to authenticated;
grant execute on function public.revoke_encryption_key(text, text) to authenticated;

-- Comments
comment on table public.user_encryption_keys is 'Public keys, several a device. None is changed or comes back: a new one has a new key_id.';
comment on column public.user_encryption_keys.public_key is 'PEM (SubjectPublicKeyInfo), as it was uploaded.';
comment on column public.user_encryption_keys.fingerprint is 'SHA-256 of the DER, in upper-case hexadecimal digits.';
comment on column public.user_encryption_keys.is_active is 'False once revoked. In use is what is active and has not expired.';
comment on table public.key_verifications is 'Who has compared the fingerprint of whose key.';
comment on function public.upload_encryption_key(text, text, text, timestamptz) is
'Publishes a public key of the caller''s: PEM (SubjectPublicKeyInfo) of RSA from 2,048 bits, P-256, Ed25519 or X25519, under ids of 1 to 255 characters. The same key once more answers the first upload, whose expiry stays. Answers {key_id, fingerprint, uploaded_at}. Refusals: not_signed_in, not_a_public_key, device_id_invalid, key_id_invalid, user_not_found, key_id_taken, expiry_in_the_past, too_many_requests, too_many_keys.';
comment on function public.get_encryption_keys(uuid) is
'The keys in use of somebody who shares a room with the caller, or all of the caller''s own, newest first; `verified` says whether the caller has. Answers {user_id, keys: [{key_id, device_id, public_key, fingerprint, created_at, is_active, verified}]}. Refusals: not_signed_in, user_not_found, not_a_room_mate.';
comment on function public.verify_encryption_key(uuid, text, text) is
'Notes that the caller has compared this key''s fingerprint: the whole of it or at least its first 12 digits, with or without spaces and colons. Refusals: not_signed_in, user_not_found, not_a_room_mate, fingerprint_too_short, key_not_found, key_not_in_use, fingerprint_mismatch.';
comment on function public.revoke_encryption_key(text, text) is
'Ends a key of the caller''s for good; nothing happens if it has ended. Refusals: not_signed_in, key_not_found.';
comment on function private.require_key_in_use(uuid, text) is 'Refuses unknown_encryption_key.';
