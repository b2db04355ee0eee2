begin;
select plan(8);

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

-- A stay that is over
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('ana') from public.organizations;
insert into public.chat_rooms (type, title, room_number, organization_id) select 'guest', 'guest', '101', id from public.organizations;
insert into public.chat_messages (room_id, content) values (tests.room_id('guest'), 'good-bye');
create temporary table bye as select id from public.chat_messages where content = 'good-bye';
grant select on bye to authenticated;
delete from private.rate_buckets;
select tests.sign_in('ana');
select lives_ok($$ select public.add_reaction((select id from bye), '👍') $$, 'staff react to what a guest writes');
select tests.as_owner();
update public.chat_rooms set closed_at = now() where type = 'guest';
select tests.sign_in('ana');
select tests.refuses($$ select public.add_reaction((select id from bye), '🔥') $$, 'stay_over', 'and to nothing once the guest has left');

select * from finish();
rollback;
