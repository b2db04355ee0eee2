begin;
select plan(19);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve', 'boss', 'clerk', 'rival']) as name;
insert into public.organizations (slug, name) values ('hotel', 'Hotel'), ('motel', 'Motel');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(who), role::public.organization_role
from (values ('hotel', 'boss', 'admin'), ('hotel', 'clerk', 'manager'), ('hotel', 'ben', 'staff'), ('motel', 'rival', 'admin'))
  as people (slug, who, role)
join public.organizations as o using (slug);
select tests.create_room('lounge', members => array['ana', 'ben']);
update public.chat_rooms set organization_id = (select id from public.organizations where slug = 'hotel');
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('lounge'), tests.user_id('ana'), content from unnest(array['rude', 'kind', 'gone']) as content;
create temporary table m as select content, id from public.chat_messages;
grant select on m to authenticated;

create function pg_temp.report(p_content text, p_reason text) returns void language sql as $$
  select public.report_message((select id from m where content = p_content), p_reason)
$$;
grant execute on function pg_temp.report(text, text) to authenticated;

select tests.sign_in('ben');
select lives_ok($$ select pg_temp.report('rude', 'It is rude.') $$, 'a member reports a message');
select lives_ok($$ select pg_temp.report('rude', 'Still.') $$, 'reporting it again is no error');
select is_empty('select from public.message_reports', 'who reports does not read the reports');
select tests.refuses($$ select pg_temp.report('kind', ' ') $$, 'reason_required', 'a report has a reason');
select tests.refuses($$ select pg_temp.report('kind', null) $$, 'reason_required', 'null is none');
select tests.refuses($$ select pg_temp.report('kind', repeat('x', 501)) $$, 'reason_too_long', 'of at most 500 characters');
select lives_ok($$ select pg_temp.report('kind', repeat('x', 500)) $$, 'as long as this one');
select tests.refuses($$ select public.report_message(gen_random_uuid(), 'x') $$, 'message_not_found', 'there is no such message');
select throws_ok(
  $$ insert into public.message_reports (message_id, room_id, reporter_id, reason)
     select id, tests.room_id('lounge'), tests.user_id('ana'), 'forged' from m limit 1 $$,
  '42501', null, 'nobody writes a report past the function'
);
select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.report('rude', 'x') $$, 'not_a_member', 'a stranger reports nothing');

select tests.sign_in('ana');
select public.delete_message((select id from m where content = 'gone'));
select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.report('gone', 'x') $$, 'message_deleted', 'what is deleted needs no report');

select tests.as_owner();
update private.limits set value = 2 where name = 'reports_per_hour';
update private.rate_buckets set tokens = 0 where action = 'report';
select tests.sign_in('ben');
select lives_ok($$ select pg_temp.report('rude', 'Once more.') $$, 'again costs nothing');
select tests.as_owner();
delete from public.message_reports where message_id = (select id from m where content = 'kind');
select tests.sign_in('ben');
select tests.refuses($$ select pg_temp.report('kind', 'x') $$, 'too_many_requests', 'too many reports do');

select tests.sign_in('boss');
select results_eq(
  'select reason, sender_id, reporter_id from public.message_reports',
  $$ values ('It is rude.', tests.user_id('ana'), tests.user_id('ben')) $$,
  'the admin of the organization reads the reports: the first one stands'
);
select throws_ok('delete from public.message_reports', '42501', null, 'and removes none');
select tests.sign_in('clerk');
select is_empty('select from public.message_reports', 'a manager reads none');
select tests.sign_in('rival');
select is_empty('select from public.message_reports', 'nor does the admin of another organization');

select tests.as_owner();
delete from public.chat_rooms where id = tests.room_id('lounge');
delete from auth.users where id in (tests.user_id('ana'), tests.user_id('ben'));
select is((select count(*) from public.message_reports), 1::bigint, 'a report outlives its room and its people');
set local role service_role;
select isnt_empty('select from public.message_reports', 'the service reads it');

select * from finish();
rollback;
