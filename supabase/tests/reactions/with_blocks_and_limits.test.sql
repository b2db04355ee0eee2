begin;
select plan(6);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.sign_in('ana');
create temporary table chat as select (public.start_direct_chat(tests.user_id('ben'), p_content => 'hello') ->> 'id')::uuid as id;
grant select on chat to authenticated;
create temporary table hello as select id from public.chat_messages;
grant select on hello to authenticated;

select tests.sign_in('ben');
select public.add_reaction((select id from hello), '👍');
select tests.as_owner();
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ana'), tests.user_id('ben'));
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.add_reaction((select id from hello), '🔥') $$, 'blocked', 'who is blocked reacts to nothing new in a direct chat'
);
select lives_ok($$ select public.remove_reaction((select id from hello), '👍') $$, 'and takes back what was there');
select tests.as_owner();
delete from public.user_blocks;
select tests.sign_in('ben');
select lives_ok($$ select public.add_reaction((select id from hello), '🔥') $$, 'unblocked, one reacts again');

select tests.as_owner();
update private.limits set value = 2 where name = 'reactions_per_minute';
delete from private.rate_buckets;
select tests.sign_in('ben');
select lives_ok(
  $$ select public.add_reaction((select id from hello), emoji) from unnest(array['🔥', '🔥', '🔥', '👍', '🎉']) as emoji $$,
  'what is there already costs nothing'
);
select tests.refuses($$ select public.add_reaction((select id from hello), '👏') $$, 'too_many_requests', 'too many new ones do');
select tests.as_owner();
select is((select count(*) from public.message_reactions), 3::bigint, 'the refused one is not there');

select * from finish();
rollback;
