begin;
select plan(28);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'col']);
select tests.create_key('ana', key_id) from unnest(array['good', 'other', 'revoked', 'expired']) as key_id;
update public.user_encryption_keys set is_active = false where key_id = 'revoked';
update public.user_encryption_keys set expires_at = now() where key_id = 'expired';
-- The fingerprint of a key of ana's, and a statement that compares something with it.
create function pg_temp.fingerprint(p_key_id text) returns text language sql security definer as $$
  select fingerprint from public.user_encryption_keys where key_id = p_key_id
$$;
create function pg_temp.verify(p_key_id text, p_fingerprint text) returns text language sql as $$
  select format('select public.verify_encryption_key(tests.user_id(''ana''), %L, %L)', p_key_id, p_fingerprint)
$$;
create function pg_temp.verified() returns text[] language sql as $$
  select array(
    select key ->> 'key_id'
    from jsonb_array_elements(public.get_encryption_keys(tests.user_id('ana')) -> 'keys') as key
    where key -> 'verified' = 'true' order by 1
  )
$$;
create function pg_temp.stored() returns bigint language sql security definer as $$
  select count(*) from public.key_verifications
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ben');
select tests.refuses(sql, code, name)
from (
  values
    (pg_temp.verify('good', repeat('A', 64)), 'fingerprint_mismatch', 'mobile.verify: another fingerprint'),
    (
      pg_temp.verify('good', left(pg_temp.fingerprint('good'), 63) || 'G'), 'fingerprint_mismatch', 'that differs at its end'
    ),
    (pg_temp.verify('good', pg_temp.fingerprint('good') || '0'), 'fingerprint_mismatch', 'or goes on behind it'),
    (pg_temp.verify('good', substr(pg_temp.fingerprint('good'), 2)), 'fingerprint_mismatch', 'or begins within it'),
    (pg_temp.verify('good', repeat('%', 12)), 'fingerprint_mismatch', 'or is a pattern'),
    (pg_temp.verify('other', pg_temp.fingerprint('good')), 'fingerprint_mismatch', 'or is another key''s'),
    (pg_temp.verify('good', left(pg_temp.fingerprint('good'), 11)), 'fingerprint_too_short', 'eleven digits are too few'),
    (
      pg_temp.verify('good', ' : : : ' || left(pg_temp.fingerprint('good'), 11)), 'fingerprint_too_short', 'which blanks are not'
    ),
    (pg_temp.verify('good', ''), 'fingerprint_too_short', 'none are'),
    (pg_temp.verify('good', null), 'fingerprint_too_short', 'in any words'),
    (pg_temp.verify('none', pg_temp.fingerprint('good')), 'key_not_found', 'there is no such key'),
    (pg_temp.verify(null, pg_temp.fingerprint('good')), 'key_not_found', 'unnamed'),
    (pg_temp.verify('revoked', pg_temp.fingerprint('revoked')), 'key_not_in_use', 'a revoked key is not verified'),
    (pg_temp.verify('expired', pg_temp.fingerprint('expired')), 'key_not_in_use', 'nor an expired one')
) as refused (sql, code, name);
select is(pg_temp.stored(), 0::bigint, 'mobile.verify: nothing is stored');
select is(pg_temp.verified(), array[]::text[], 'and nothing verified');

select lives_ok(
  pg_temp.verify('good', left(pg_temp.fingerprint('good'), 12)), 'mobile.verify: its first 12 digits are enough'
);
select is(pg_temp.verified(), array['good'], 'this key is verified');
select lives_ok(pg_temp.verify('good', pg_temp.fingerprint('good')), 'twice is once');
select lives_ok(
  pg_temp.verify('other', regexp_replace(lower(pg_temp.fingerprint('other')), '(..)', '\1: ', 'g')),
  'the whole of it, in small letters with colons and blanks'
);
select is(pg_temp.verified(), array['good', 'other'], 'is the same');
select set_eq(
  $$ select verifier_user_id, verified_user_id, key_id from public.key_verifications $$,
  $$ values (tests.user_id('ben'), tests.user_id('ana'), 'good'), (tests.user_id('ben'), tests.user_id('ana'), 'other') $$,
  'ben sees what he has verified'
);
select throws_ok(
  $$ insert into public.key_verifications (verifier_user_id, verified_user_id, key_id)
     values (tests.user_id('ben'), tests.user_id('ana'), 'revoked') $$,
  '42501', null, 'and writes none himself'
);

select tests.sign_in('col');
select is(pg_temp.verified(), array[]::text[], 'mobile.verify: it is for oneself alone');
select is_empty($$ select from public.key_verifications $$, 'nor does anybody else see it');

select tests.sign_in('eve');
select tests.refuses(
  pg_temp.verify('good', pg_temp.fingerprint('good')), 'not_a_room_mate', 'a stranger verifies nothing'
);
select tests.present('{"role": "authenticated"}');
select tests.refuses(pg_temp.verify('good', pg_temp.fingerprint('good')), 'not_signed_in', 'nor does nobody');

select tests.as_owner();
delete from auth.users where id = tests.user_id('ana');
select is(
  pg_temp.stored() + (select count(*) from public.user_encryption_keys), 0::bigint, 'an account takes its keys and all that was said of them along'
);

select * from finish();
rollback;
