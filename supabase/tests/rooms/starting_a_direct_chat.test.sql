begin;
select plan(22);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve']) as name;
select tests.create_user('ghost', p_is_anonymous => true);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'ben']) as person;

select tests.sign_in('ana');
create temporary table chats (who text, room jsonb);
grant all on chats to authenticated;
insert into chats values ('ana', public.start_direct_chat(tests.user_id('ben'), p_product_id => 'lamp', p_content => 'hello'));

select is(room ->> 'type', 'direct', 'it is a direct chat') from chats;
select is(room ->> 'name', 'Ben', 'named after the other person') from chats;
select is(room ->> 'related_product', 'lamp', 'about a product') from chats;
select is(room ->> 'topic', 'room:' || (room ->> 'id'), 'with its topic') from chats;
select is(room #>> '{last_message,content}', 'hello', 'a given text is sent') from chats;
select is((room ->> 'unread_count')::int, 0, 'my own message is not unread') from chats;
select is((room ->> 'member_count')::int, 2, 'two people are in it') from chats;
select is(
  array(select jsonb_array_elements(room -> 'participants') ->> 'username'), array['ana', 'ben'], 'me first'
) from chats;
select is(
  room #> '{participants,1,email}', 'null', 'no address of somebody who has not written to me and works elsewhere'
) from (select public.start_direct_chat(tests.user_id('eve')) as room) as with_eve;

select tests.sign_in('ben');
insert into chats values ('ben', public.start_direct_chat(tests.user_id('ana')));
select is(
  (select room ->> 'id' from chats where who = 'ben'),
  (select room ->> 'id' from chats where who = 'ana'),
  'rooms.direct: the other person finds the same room'
);
select is((select (room ->> 'unread_count')::int from chats where who = 'ben'), 1, 'with one message unread');
select isnt(
  public.start_direct_chat(tests.user_id('ana'), (select id from public.organizations)) ->> 'id',
  (select room ->> 'id' from chats where who = 'ben'),
  'within a hotel the same two have another one'
);

select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('ben')) $$, 'chat_with_oneself', 'not with oneself'
);
select tests.refuses(
  $$ select public.start_direct_chat(gen_random_uuid()) $$, 'user_not_found', 'not with somebody who does not exist'
);
select tests.refuses(
  $$ select public.start_direct_chat(null) $$, 'user_not_found', 'not with nobody'
);
select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('eve'), (select id from public.organizations)) $$,
  'not_in_organization', 'not in a hotel where only one of us works'
);
select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('eve'), gen_random_uuid()) $$,
  'organization_not_found', 'not in a hotel that does not exist'
);

select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('eve'), p_product_id => repeat('x', 201)) $$,
  'product_too_long', 'not about an endless product'
);
select is(
  public.start_direct_chat(tests.user_id('eve'), p_product_id => repeat('x', 200)) ->> 'related_product', repeat('x', 200),
  'about one of 200 characters it is'
);
select is(
  public.start_direct_chat(tests.user_id('col'), p_product_id => '') -> 'related_product', 'null', 'an empty product is none'
);

select tests.sign_in('ghost');
select tests.refuses(
  $$ select public.start_direct_chat(tests.user_id('ben')) $$, 'anonymous_not_allowed', 'an anonymous guest starts none'
);

select tests.sign_out();
select throws_ok(
  $$ select public.start_direct_chat(tests.user_id('ben')) $$, '42501', null, 'nobody signed in: not at all'
);

select * from finish();
rollback;
