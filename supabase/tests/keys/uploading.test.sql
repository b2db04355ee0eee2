begin;
select plan(48);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'dan']);
select tests.create_room('cellar', members => array['eve', 'col']);
insert into public.user_presence (user_id, status, online_until)
select tests.user_id(name), 'online', now() + interval '1 minute' from unnest(array['ana', 'ben', 'eve']) as name;

-- An X25519 key: any 32 bytes are one.
create function pg_temp.der(p_seed text) returns bytea language sql as $$
  select '\x302a300506032b656e032100' || sha256(p_seed::bytea)
$$;
create function pg_temp.pem(p_seed text) returns text language sql as $$
  select e'-----BEGIN PUBLIC KEY-----\n' || encode(pg_temp.der(p_seed), 'base64') || e'\n-----END PUBLIC KEY-----\n'
$$;
create function pg_temp.upload(p_seed text) returns text language sql as $$
  select format('select public.upload_encryption_key(pg_temp.pem(%L), ''phone'', %1$L)', p_seed)
$$;
create function pg_temp.stored() returns bigint language sql security definer as $$
  select count(*) from public.user_encryption_keys
$$;
-- Takes what was told since: who hears it, and what.
create function pg_temp.told() returns table (told text) language plpgsql security definer as $$
begin
  return query
  with taken as (delete from realtime.messages where event = 'encryption-key-changed' returning topic, payload)
  select concat_ws(' ', listener.username, subject.username, payload ->> 'key_id', payload ->> 'is_active')
  from taken
  join public.profiles as listener on topic = 'user:' || listener.id
  join public.profiles as subject on subject.id = (payload ->> 'user_id')::uuid;
end;
$$;
-- The hour of the bucket is over.
create function pg_temp.wait() returns void language sql security definer as $$
  delete from private.rate_buckets where action = 'key_upload'
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select is(
  public.upload_encryption_key(pg_temp.pem('one'), 'phone', 'key 1'),
  jsonb_build_object(
    'key_id', 'key 1',
    'fingerprint', upper(encode(sha256(pg_temp.der('one')), 'hex')),
    'uploaded_at', now()
  ),
  'mobile.keys: the fingerprint is the SHA-256 of the DER, in upper case'
);
select results_eq(
  $$ select user_id, device_id, key_id, public_key, is_active, expires_at from public.user_encryption_keys $$,
  $$ values (tests.user_id('ana'), 'phone', 'key 1', pg_temp.pem('one'), true, null::timestamptz) $$,
  'kept as it was uploaded'
);
select tests.as_owner();
select is(
  (select payload - 'id' from realtime.messages where event = 'encryption-key-changed' and topic = 'user:' || tests.user_id('ben')),
  jsonb_build_object(
    'user_id', tests.user_id('ana'), 'device_id', 'phone', 'key_id', 'key 1', 'is_active', true,
    'fingerprint', upper(encode(sha256(pg_temp.der('one')), 'hex'))
  ),
  'a new key is announced'
);
select tests.sign_in('ana');
select set_eq(
  $$ select pg_temp.told() $$, array['ana ana key 1 true', 'ben ana key 1 true'],
  'to room-mates who are online, and one''s own devices; not to strangers'
);

select is(
  public.upload_encryption_key(pg_temp.pem('one'), 'phone', 'key 1', now() + interval '1 day') ->> 'fingerprint',
  upper(encode(sha256(pg_temp.der('one')), 'hex')),
  'the same key again is answered'
);
select is((select count(*) from public.user_encryption_keys), 1::bigint, 'as one key');
select is((select expires_at from public.user_encryption_keys), null, 'what stood stands');
select is_empty($$ select pg_temp.told() $$, 'which is no news');
select tests.refuses(
  $$ select public.upload_encryption_key(pg_temp.pem('two'), 'phone', 'key 1') $$,
  'key_id_taken', 'mobile.verify: another key with the same id is refused'
);
select tests.refuses(
  $$ select public.upload_encryption_key(pg_temp.pem('one'), 'tablet', 'key 1') $$,
  'key_id_taken', 'on another device too: a key_id is unique per user'
);
select lives_ok(
  $$ select public.upload_encryption_key(pg_temp.pem('two'), 'phone', 'key 2', now() + interval '1 day') $$,
  'rotation: a device has several keys'
);
select lives_ok($$ select public.upload_encryption_key(pg_temp.pem('three'), 'tablet', 'key 3') $$, 'and somebody several devices');
select tests.sign_in('ben');
select lives_ok(
  $$ select public.upload_encryption_key(pg_temp.pem('ben''s'), 'phone', 'key 1') $$, 'others have ids of their own'
);

-- Bad input.
select tests.sign_in('ana');
select tests.refuses(sql, code, name)
from (
  values
    ($$ select public.upload_encryption_key(null, 'phone', 'bad') $$, 'not_a_public_key', 'a key is one'),
    ($$ select public.upload_encryption_key('', 'phone', 'bad') $$, 'not_a_public_key', 'that says something'),
    ($$ select public.upload_encryption_key(repeat('x', 1000000), 'phone', 'bad') $$, 'not_a_public_key', 'not just anything'),
    (
      $$ select public.upload_encryption_key(replace(pg_temp.pem('x'), 'PUBLIC', 'PRIVATE'), 'phone', 'bad') $$,
      'not_a_public_key', 'mobile.keys: nothing that calls itself private'
    ),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), null, 'bad') $$, 'device_id_invalid', 'a device has an id'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), '', 'bad') $$, 'device_id_invalid', 'that is not empty'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), repeat('x', 256), 'bad') $$, 'device_id_invalid', 'of 255 characters at most'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), 'phone', null) $$, 'key_id_invalid', 'a key has an id'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), 'phone', '') $$, 'key_id_invalid', 'that is not empty'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), 'phone', repeat('x', 256)) $$, 'key_id_invalid', 'of 255 characters at most'),
    ($$ select public.upload_encryption_key(pg_temp.pem('x'), 'phone', 'bad', now()) $$, 'expiry_in_the_past', 'it expires in the future')
) as bad (sql, code, name);
select is(pg_temp.stored(), 4::bigint, 'nothing of it is stored');
select lives_ok(
  $$ select public.upload_encryption_key(pg_temp.pem('x'), repeat('x', 255), repeat('x', 255)) $$, 'ids may have 255 characters'
);
select throws_ok(
  $$ insert into public.user_encryption_keys (user_id, device_id, key_id, public_key, fingerprint)
     values (tests.user_id('ana'), 'phone', 'bad', 'a private key', repeat('A', 64)) $$,
  '42501', null, 'nobody writes to the table'
);
select throws_ok($$ update public.user_encryption_keys set is_active = true $$, '42501', null, 'nor changes it');
select throws_ok($$ delete from public.user_encryption_keys $$, '42501', null, 'nor takes a key off');

-- Revoking and expiry.
select pg_temp.told();
select tests.refuses($$ select public.revoke_encryption_key('key 1', 'tablet') $$, 'key_not_found', 'a key of this device');
select tests.refuses($$ select public.revoke_encryption_key('key 9', 'phone') $$, 'key_not_found', 'that there is');
select tests.refuses($$ select public.revoke_encryption_key(null, null) $$, 'key_not_found', 'and is named');
select public.revoke_encryption_key('key 1', 'phone');
select set_eq(
  $$ select key_id from public.user_encryption_keys where not is_active $$, array['key 1'], 'is revoked, and no other'
);
select set_eq(
  $$ select pg_temp.told() $$, array['ana ana key 1 false', 'ben ana key 1 false'], 'which is announced as well'
);
select lives_ok($$ select public.revoke_encryption_key('key 1', 'phone') $$, 'twice is once');
select is_empty($$ select pg_temp.told() $$, 'and told once');
select tests.refuses(
  $$ select public.upload_encryption_key(pg_temp.pem('one'), 'phone', 'key 1') $$, 'key_id_taken', 'a revoked key does not come back'
);
select tests.sign_in('ben');
select is(
  public.get_encryption_keys(tests.user_id('ben')) #> '{keys,0,is_active}', 'true', 'nobody revokes another''s of the same id'
);

-- Ten an hour.
select pg_temp.wait();
select tests.sign_in('ana');
select public.upload_encryption_key(pg_temp.pem('n' || n), 'phone', 'n' || n) from generate_series(1, 9) as n;
select tests.refuses(pg_temp.upload(''), 'key_id_invalid', 'mobile.keys: a refused upload does not count');
select lives_ok(pg_temp.upload('tenth'), 'the tenth in an hour');
select tests.refuses(pg_temp.upload('eleventh'), 'too_many_requests', 'is the last');
select lives_ok(
  $$ select public.upload_encryption_key(pg_temp.pem('n1'), 'phone', 'n1') $$, 'a repeat is answered still'
);
select tests.as_owner();
select ok(
  (select tokens >= 0 and tokens < 1 from private.rate_buckets where user_id = tests.user_id('ana') and action = 'key_upload'),
  'and not charged'
);
update private.limits
set value = (select count(*) from public.user_encryption_keys where user_id = tests.user_id('ana') and is_active)
where name = 'keys_per_user';
select pg_temp.wait();
select tests.sign_in('ana');
select tests.refuses(pg_temp.upload('one more'), 'too_many_keys', 'there are so many in use at most');
select public.revoke_encryption_key('n2', 'phone');
select lives_ok(pg_temp.upload('one more'), 'a revoked one makes room');

select tests.present('{"sub": "00000000-0000-4000-8000-000000000009", "role": "authenticated"}');
select tests.refuses(pg_temp.upload('x'), 'user_not_found', 'an account that is gone has no key');
select tests.present('{"role": "authenticated"}');
select tests.refuses(pg_temp.upload('x'), 'not_signed_in', 'nor has nobody');
select tests.refuses($$ select public.revoke_encryption_key('key 1', 'phone') $$, 'not_signed_in', 'who revokes none');

select * from finish();
rollback;
