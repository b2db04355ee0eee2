-- Staff are in their guests' rooms by their role: what they keep about one begins when they first do something there.
begin;
select plan(7);

select tests.create_user(name) from unnest(array['ana', 'ben', 'maria']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id)
select id, tests.user_id(person) from public.organizations, unnest(array['ana', 'ben']) as person;
select tests.sign_in('ana');
select public.check_in_guest(organization_id, '101', 'Maria') from public.organization_members limit 1;
select tests.as_owner();
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('Maria'), tests.user_id('maria'), content from unnest(array['Hello?', 'Towels, please']) as content;
select is_empty(
  $$ select user_id from public.user_chat_preferences where room_id = tests.room_id('Maria') $$, 'nobody keeps anything of a new stay'
);

create function pg_temp.kept(p_call text, p_column text) returns text language plpgsql as $$
declare
  kept text;
begin
  perform tests.as_owner();
  delete from public.user_chat_preferences;
  perform tests.sign_in('ben');
  execute 'select public.' || p_call;
  execute format('select %I from public.user_chat_preferences', p_column) into kept;
  return kept;
end;
$$;
select is(pg_temp.kept(call, kept_in), kept, call)
from (
  values
    ($$mark_read(tests.room_id('Maria'))$$, 'last_read_seq', '2'),
    ($$mark_delivered(tests.room_id('Maria'), 1)$$, 'last_delivered_seq', '1'),
    ($$mark_unread(tests.room_id('Maria'))$$, 'manually_marked_unread', 'true'),
    ($$archive_chat(tests.room_id('Maria'))$$, 'is_archived', 'true'),
    ($$mute_chat(tests.room_id('Maria'))$$, 'is_muted', 'true'),
    ($$clear_chat(tests.room_id('Maria'))$$, 'cleared_seq', '2')
) as calls (call, kept_in, kept);

select * from finish();
rollback;
