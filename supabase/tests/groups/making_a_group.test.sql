begin;
select plan(26);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve']) as name;
select tests.create_user('ghost', p_is_anonymous => true);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'ben']) as person;
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('eve'), tests.user_id('ana'));
create temporary table hotel as select id from public.organizations;
grant select on hotel to authenticated;
create function pg_temp.people(variadic p_names text[]) returns uuid[] language sql as $$
  select array_agg(tests.user_id(name)) from unnest(p_names) as name
$$;
grant execute on function pg_temp.people(text[]) to authenticated;

select tests.sign_in('ana');
create temporary table made as
select public.create_group_chat(
  'lounge', pg_temp.people('ben', 'col', 'ben', 'ana') || null::uuid, 'For talks', 'https://example.com/a.png'
) as room;
select is(room ->> 'type', 'group', 'it is a group') from made;
select is(room ->> 'name', 'lounge', 'named by its title') from made;
select is(room ->> 'description', 'For talks', 'described') from made;
select is(room ->> 'avatar_url', 'https://example.com/a.png', 'with a picture') from made;
select is(room ->> 'created_by', tests.user_id('ana')::text, 'made by the caller') from made;
select is(room -> 'organization_id', 'null', 'of no hotel') from made;
select is(room -> 'member_count', '3', 'each named person is in it once, and the caller') from made;
select results_eq(
  $$ select p.username, role::text from public.chat_room_members join public.profiles as p on p.id = user_id order by 1 $$,
  $$ values ('ana', 'owner'), ('ben', 'member'), ('col', 'member') $$,
  'the caller is its owner'
);
select lives_ok(
  $$ select public.send_message(tests.room_id('lounge'), 'hello') $$, 'and writes in it'
);

select ok(
  public.create_group_chat(null, pg_temp.people('ben', 'col')) ->> 'name' in ('Ben, Col', 'Col, Ben'),
  'without a title it has the others'' names'
);
select is(public.create_group_chat('alone', null) -> 'member_count', '1', 'one may begin alone');
select is(
  public.create_group_chat('hall', pg_temp.people('ben'), p_organization_id => (select id from public.organizations))
  ->> 'organization_id',
  (select id::text from public.organizations),
  'within a hotel it is the hotel''s'
);

select tests.refuses(
  $$ select public.create_group_chat('x', pg_temp.people('ben', 'col'), p_organization_id => (select id from public.organizations)) $$,
  'not_in_organization', 'not with somebody who does not work there'
);
select tests.refuses(
  $$ select public.create_group_chat('x', null, p_organization_id => gen_random_uuid()) $$,
  'organization_not_found', 'not in a hotel that does not exist'
);
select tests.refuses(
  $$ select public.create_group_chat('x', pg_temp.people('eve')) $$, 'blocked', 'not with somebody who has blocked me'
);
select tests.refuses(
  $$ select public.create_group_chat('x', array[gen_random_uuid()]) $$, 'user_not_found', 'not with somebody who does not exist'
);
select tests.refuses(
  $$ select public.create_group_chat('x', pg_temp.people('ghost')) $$, 'user_not_found', 'nor with a guest without an account'
);
select tests.refuses($$ select public.create_group_chat(' ', null) $$, 'title_invalid', 'a title is not blank');
select tests.refuses($$ select public.create_group_chat(repeat('x', 201), null) $$, 'title_invalid', 'nor endless');
select tests.refuses(
  $$ select public.create_group_chat('x', null, repeat('x', 2001)) $$, 'description_too_long', 'nor is a description'
);
select tests.refuses(
  $$ select public.create_group_chat('x', null, null, 'file:///etc') $$, 'avatar_url_invalid', 'a picture is on the web'
);
select tests.refuses(
  $$ select public.create_group_chat('x', (select array_agg(gen_random_uuid()) from generate_series(1, 501))) $$,
  'too_many_members', 'not 501 people at once'
);

select tests.sign_in('eve');
select tests.refuses(
  $$ select public.create_group_chat('x', pg_temp.people('ana')) $$, 'blocked', 'nor with somebody I have blocked'
);
select tests.refuses(
  $$ select public.create_group_chat('x', null, p_organization_id => (select id from hotel)) $$,
  'not_in_organization', 'not in a hotel where I do not work'
);

select tests.as_owner();
update private.limits set value = 1 where name = 'group_rooms_per_hour';
select tests.sign_in('col');
select public.create_group_chat('first', null);
select tests.refuses($$ select public.create_group_chat('second', null) $$, 'too_many_requests', 'not endless groups');

select tests.sign_in('ghost');
select tests.refuses($$ select public.create_group_chat('x', null) $$, 'anonymous_not_allowed', 'an anonymous guest makes none');

select * from finish();
rollback;
