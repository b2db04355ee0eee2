begin;
select plan(9);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'hello @ben');

select results_eq(
  'select user_id from public.message_mentions', array[tests.user_id('ben')], 'members see the mentions in their rooms'
);
select throws_ok(
  $$ insert into public.message_mentions (message_id, user_id, room_id)
     select id, sender_id, room_id from public.chat_messages $$,
  '42501', null, 'nobody writes them'
);
select throws_ok('update public.message_mentions set user_id = null', '42501', null, 'nor changes them');
select throws_ok('delete from public.message_mentions', '42501', null, 'nor removes them');

select tests.sign_in('eve');
select is_empty('select from public.message_mentions', 'a stranger sees none');
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('eve'));
select tests.sign_in('eve');
select isnt_empty('select from public.message_mentions', 'who comes sees them');
select tests.as_owner();
update public.user_chat_preferences set cleared_seq = 1 where user_id = tests.user_id('eve');
select tests.sign_in('eve');
select is_empty('select from public.message_mentions', 'not those of messages that are hidden from her');
select tests.sign_in('ben');
select isnt_empty('select from public.message_mentions', 'others still do');

select tests.as_owner();
delete from auth.users where id = tests.user_id('ben');
select is_empty('select from public.message_mentions', 'an account takes its mentions along');

select * from finish();
rollback;
