begin;
select plan(35);

select tests.create_user(name) from unnest(array['ana', 'ben', 'chloe', 'eve']) as name;
insert into public.organizations (id, slug, name)
values ('00000000-0000-4000-8000-0000000000f1', 'inn', 'The Inn'), ('00000000-0000-4000-8000-0000000000f2', 'spa', 'The Spa');
insert into public.organization_members (organization_id, user_id, role)
values
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('ana'), 'admin'),
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('ben'), 'manager'),
  ('00000000-0000-4000-8000-0000000000f1', tests.user_id('chloe'), 'staff'),
  ('00000000-0000-4000-8000-0000000000f2', tests.user_id('eve'), 'admin');
select tests.create_room('desk', members => array['ana', 'ben', 'chloe']);
update public.chat_rooms set organization_id = '00000000-0000-4000-8000-0000000000f1';
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('desk'), tests.user_id('ben'), 'shift');
create temporary table named as select id from public.chat_messages;
grant select on named to authenticated;

select tests.sign_in('ben');
select set_config('request.headers', '{"x-forwarded-for": "203.0.113.9, 198.51.100.7"}', true);
select public.edit_message((select id from named), 'shifts');
select public.delete_message((select id from named), p_reason => 'a slip');
select public.undo_delete_message((select id from named));
select public.delete_message((select id from named), p_hard => true);
select is_empty($$ select * from public.message_audit $$, 'hotel.delete.audit: a manager reads none');
select tests.sign_in('chloe');
select is_empty($$ select * from public.message_audit $$, 'nor do staff');
select tests.sign_in('eve');
select is_empty($$ select * from public.message_audit $$, 'nor an admin of another hotel');
select tests.sign_out();
select throws_ok($$ select * from public.message_audit $$, '42501', null, 'nor who is not signed in');
select tests.sign_in('ana');
select results_eq(
  $$ select action, reason from public.message_audit order by created_at $$,
  $$ values ('edit', null), ('delete', 'a slip'), ('undo_delete', null), ('hard_delete', null) $$,
  'an admin of the hotel reads what was done'
);
select results_eq(
  $$ select distinct organization_id, room_id, message_id, actor_id, ip_address from public.message_audit $$,
  $$ select '00000000-0000-4000-8000-0000000000f1'::uuid, tests.room_id('desk'), id, tests.user_id('ben'), '198.51.100.7'::inet
     from named $$,
  'by whom, to what, and from where, as the nearest gateway says'
);
select tests.refuses(
  $$ select public.delete_message((select id from named)) $$, 'message_deleted', 'what is refused'
);
select is((select count(*) from public.message_audit), 4::bigint, 'is not written down');

select throws_ok(
  format('%s public.message_audit %s', verb, rest), '42501', null, format('an admin does not %s it', verb)
)
from (values ('update', 'set reason = null'), ('delete from', ''), ('truncate', ''), ('insert into', 'default values')) as t (verb, rest);
select tests.as_owner();
set local role service_role;
select lives_ok($$ select * from public.message_audit $$, 'the service reads it');
select throws_ok(
  format('%s public.message_audit %s', verb, rest), '42501', null, format('the service does not %s it', verb)
)
from (values ('update', 'set reason = null'), ('delete from', ''), ('truncate', ''), ('insert into', 'default values')) as t (verb, rest);
select throws_ok($$ delete from private.message_audit_without_month $$, '42501', null, 'nor by the back door');
set local role postgres;
select tests.refuses($$ update public.message_audit set reason = null $$, 'append_only', 'not even the owner changes it');
select tests.refuses($$ delete from public.message_audit $$, 'append_only', 'or deletes from it');
select tests.refuses($$ truncate public.message_audit $$, 'append_only', 'or empties it');

-- Where a request comes from.
create function pg_temp.address(p_headers text) returns text language plpgsql as $$
begin
  perform set_config('request.headers', p_headers, true);
  return private.caller_address()::text;
end;
$$;
select is(pg_temp.address(headers), address, format('%s is %s', coalesce(headers, 'nothing'), coalesce(address, 'no address')))
from (
  values
    ('{"x-forwarded-for": "2001:db8::1"}', '2001:db8::1/128'),
    ('{"x-forwarded-for": "198.51.100.7", "cf-connecting-ip": "203.0.113.9"}', '203.0.113.9/32'),
    ('{"x-forwarded-for": "my house"}', null),
    ('{"x-forwarded-for": "10.0.0.0/8"}', null),
    ('{}', null),
    ('no json', null),
    ('', null)
) as t (headers, address);

-- The HTTP door is the caller of the API then, and says under its signature whose call it hands on.
select vault.create_secret('a secret', 'parley_job_secret');
create function pg_temp.signed(p_secret text, p_seconds bigint default 0, p_user_id uuid default tests.user_id('ana'))
returns text language sql as $$
  select jsonb_build_object('x-forwarded-for', '10.0.0.1', 'x-parley-address', concat_ws(';', claim, signature))::text
  from
    concat_ws(';', '203.0.113.9', extract(epoch from now())::bigint + p_seconds) as claim,
    encode(extensions.hmac(concat_ws(';', claim, p_user_id), p_secret, 'sha256'), 'hex') as signature
$$;
grant execute on all functions in schema pg_temp to authenticated;
grant execute on function private.caller_address() to authenticated;
select tests.sign_in('ana');
select is(pg_temp.address(pg_temp.signed('a secret')), '203.0.113.9/32', 'a signed address is believed');
select is(pg_temp.address(pg_temp.signed('a guess')), '10.0.0.1/32', 'one that anybody may have written is not');
select is(pg_temp.address(pg_temp.signed('a secret', -120)), '10.0.0.1/32', 'nor one of long ago');
select is(
  pg_temp.address(pg_temp.signed('a secret', p_user_id => gen_random_uuid())), '10.0.0.1/32', 'nor one signed for another caller'
);
select is(pg_temp.address('{"x-forwarded-for": "10.0.0.1", "x-parley-address": "203.0.113.9;soon;x"}'), null, 'nor what is no time');
select tests.as_owner();

-- A job of the project's, in months to come.
select is(
  (select count(*) from pg_inherits where inhparent = 'public.message_audit'::regclass), 5::bigint,
  'this month and three ahead have their partition, and what has none too'
);
select private.make_audit_partitions();
select is(
  (select tableoid::regclass::text from public.message_audit limit 1),
  'private.message_audit_' || to_char(now() at time zone 'UTC', 'YYYY_MM'), 'what is done now is in this month''s'
);

select * from finish();
rollback;
