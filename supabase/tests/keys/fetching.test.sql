begin;
select plan(25);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'dan', 'eve', 'fay', 'guy']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'col']);
select tests.create_key('ana', key_id) from unnest(array['good', 'revoked', 'expired', 'later']) as key_id;
update public.user_encryption_keys set is_active = false where key_id = 'revoked';
update public.user_encryption_keys set expires_at = now() where key_id = 'expired';
update public.user_encryption_keys set expires_at = now() + interval '1 hour' where key_id = 'later';
update public.user_encryption_keys set created_at = now() - interval '1 minute' where key_id = 'good';

-- The ids of the keys that the caller gets, by the function and by the table.
create function pg_temp.fetched(p_name text) returns text[] language sql as $$
  select array(
    select concat_ws(' ', key ->> 'key_id', case when key -> 'is_active' = 'false' then 'over' end)
    from jsonb_array_elements(public.get_encryption_keys(tests.user_id(p_name)) -> 'keys') as key order by 1
  )
$$;
create function pg_temp.selected(p_name text) returns text[] language sql as $$
  select array(select key_id from public.user_encryption_keys where user_id = tests.user_id(p_name) order by 1)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select is(
  pg_temp.fetched('ana'), array['expired over', 'good', 'later', 'revoked over'], 'mobile.keys: one fetches all of one''s own'
);
select is(pg_temp.selected('ana'), array['expired', 'good', 'later', 'revoked'], 'by the table too');
select tests.sign_in('ben');
select is(pg_temp.fetched('ana'), array['good', 'later'], 'a room-mate those in use');
select is(pg_temp.selected('ana'), array['good', 'later'], 'by the table too');
select is(
  public.get_encryption_keys(tests.user_id('ana')),
  jsonb_build_object(
    'user_id', tests.user_id('ana'),
    'keys', (
      select jsonb_agg(
        jsonb_build_object(
          'key_id', key_id, 'device_id', device_id, 'public_key', public_key, 'fingerprint', fingerprint,
          'created_at', created_at, 'is_active', true, 'verified', false
        ) order by key_id desc
      )
      from public.user_encryption_keys
    )
  ),
  'in the documented shape, newest first'
);
select is(
  public.get_encryption_keys(tests.user_id('col')),
  jsonb_build_object('user_id', tests.user_id('col'), 'keys', '[]'::jsonb), 'who has none has an empty list'
);

select tests.sign_in('eve');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('ana')) $$, 'not_a_room_mate', 'mobile.keys: a stranger gets none'
);
select is(pg_temp.selected('ana'), array[]::text[], 'by the table neither');
select tests.refuses(
  $$ select public.get_encryption_keys(gen_random_uuid()) $$, 'user_not_found', 'nor of nobody'
);
select tests.refuses($$ select public.get_encryption_keys(null) $$, 'user_not_found', 'in any words');
select is(pg_temp.fetched('eve'), array[]::text[], 'one has no room-mates and one''s own list all the same');

select tests.as_owner();
update public.chat_room_members set expires_at = now() where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('ana')) $$, 'not_a_room_mate', 'a membership that is over counts no more'
);
select is(pg_temp.selected('ana'), array[]::text[], 'by the table neither');
select tests.sign_in('col');
select is(pg_temp.fetched('ana'), array['good', 'later'], 'one that goes on does');
select tests.as_owner();
update public.chat_room_members set expires_at = null where user_id = tests.user_id('ben');
update public.chat_room_members set expires_at = now() where user_id = tests.user_id('ana');
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('ana')) $$, 'not_a_room_mate', 'whoever''s it is'
);

-- A hotel: its staff share its guests' rooms without a row in them.
select tests.as_owner();
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['dan', 'eve']) as person;
select tests.create_key('dan', 'dan''s');
select tests.create_key('fay', 'fay''s');
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('dan')) $$, 'not_a_room_mate', 'colleagues without a guest share no room'
);
select tests.as_owner();
insert into public.chat_rooms (type, organization_id, room_number, title) select 'guest', id, '101', 'stay' from public.organizations;
insert into public.chat_room_members (room_id, user_id, expires_at)
values (tests.room_id('stay'), tests.user_id('fay'), now() + interval '1 day');
select tests.sign_in('eve');
select is(pg_temp.fetched('fay'), array['fay''s'], 'staff get their guest''s');
select is(pg_temp.fetched('dan'), array['dan''s'], 'and each other''s, to write to a guest together');
select is(pg_temp.selected('dan'), array['dan''s'], 'by the table too');
select tests.sign_in('fay');
select is(pg_temp.fetched('dan'), array['dan''s'], 'a guest the staff''s');
select tests.sign_in('guy');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('fay')) $$, 'not_a_room_mate', 'and nobody else any'
);
select tests.as_owner();
update public.chat_room_members set expires_at = now() where user_id = tests.user_id('fay');
update public.chat_rooms set closed_at = now() where title = 'stay';
select tests.sign_in('eve');
select tests.refuses(
  $$ select public.get_encryption_keys(tests.user_id('fay')) $$, 'not_a_room_mate', 'until the stay is over'
);

select tests.present('{"role": "authenticated"}');
select is_empty($$ select from public.user_encryption_keys $$, 'a token that names nobody sees no key');
select tests.refuses($$ select public.get_encryption_keys(tests.user_id('ana')) $$, 'not_signed_in', 'nor gets one');
select tests.sign_out();
select throws_ok($$ select * from public.user_encryption_keys $$, '42501', null, 'nobody signed in reads the table');

select * from finish();
rollback;
