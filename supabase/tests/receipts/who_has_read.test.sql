-- Who has read a message, and when: from ranges, not from a row for each message.
begin;
select plan(16);

select tests.create_user(name) from unnest(array['ana', 'ben', 'cleo', 'dan', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben', 'cleo']);

create function pg_temp.write(p_name text, p_count int) returns void language sql as $$
  insert into public.chat_messages (room_id, sender_id, content)
  select tests.room_id('lounge'), tests.user_id(p_name), n from generate_series(1, p_count) as n
$$;
create function pg_temp.message_id(p_seq bigint) returns uuid language sql security definer as $$
  select id from public.chat_messages where room_id = tests.room_id('lounge') and seq = p_seq
$$;
create function pg_temp.name(p_user_id uuid) returns text language sql security definer as $$
  select username from public.profiles where id = p_user_id
$$;
create function pg_temp.receipts(p_seq bigint) returns table (name text, delivered boolean, is_read boolean) language sql as $$
  select pg_temp.name((r ->> 'user_id')::uuid), (r ->> 'delivered')::boolean, r ->> 'read_at' is not null
  from jsonb_array_elements(public.message_receipts(pg_temp.message_id(p_seq))) as r
  order by 1
$$;
grant execute on function pg_temp.message_id(bigint), pg_temp.name(uuid), pg_temp.receipts(bigint) to authenticated;

select pg_temp.write('ana', 3);
select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'), pg_temp.message_id(2));
select tests.sign_in('cleo');
select public.mark_delivered(tests.room_id('lounge'), 2);

select tests.sign_in('ana');
select results_eq(
  $$ select * from pg_temp.receipts(2) $$,
  $$ values ('ben', true, true), ('cleo', true, false) $$,
  'staff.read: who has read it, and to whom it came, without its sender'
);
select results_eq(
  $$ select * from pg_temp.receipts(3) $$,
  $$ values ('ben', false, false), ('cleo', false, false) $$,
  'a newer one is nobody''s yet'
);
select results_eq(
  $$ select message_id, user_id from public.message_reads order by message_id $$,
  $$ select pg_temp.message_id(seq), tests.user_id('ben') from generate_series(1, 2) as seq $$,
  'messaging.read: a read record per message can be selected'
);
select is((select count(*) from public.read_ranges), 1::bigint, 'though one row tells of both');

select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'));
select results_eq(
  $$ select from_seq, to_seq from public.read_ranges $$, $$ values (1::bigint, 3::bigint) $$,
  'who reads on within a minute makes the range longer'
);
select tests.as_owner();
update public.read_ranges set read_at = read_at - interval '61 seconds';
select pg_temp.write('ana', 1);
select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'));
select results_eq(
  $$ select from_seq, to_seq from public.read_ranges order by 1 $$,
  $$ values (1::bigint, 3::bigint), (4, 4) $$,
  'after a minute another one begins'
);
select ok(
  (select bool_and(r.read_at >= m.created_at) from public.message_reads as r join public.chat_messages as m on m.id = message_id),
  'nothing is read before it was written'
);
select ok(
  exists (select from public.read_ranges where from_seq = 1 and read_at < (select created_at from public.chat_messages where seq = 3)),
  'though the range began before'
);

-- Who joins late has read nothing of what was there; who leaves has read what he has read.
select tests.as_owner();
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('dan'));
delete from public.chat_room_members where user_id = tests.user_id('ben');
select tests.sign_in('ana');
select results_eq(
  $$ select name, is_read from pg_temp.receipts(1) $$,
  $$ values ('ben', true), ('cleo', false), ('dan', false) $$,
  'who left has read it still, who came later has not'
);
select tests.as_owner();
update public.chat_rooms set history_for_new_members = false;
delete from public.chat_room_members where user_id = tests.user_id('dan');
insert into public.chat_room_members (room_id, user_id) values (tests.room_id('lounge'), tests.user_id('dan'));
select tests.sign_in('ana');
select results_eq(
  $$ select name from pg_temp.receipts(1) $$, $$ values ('ben'), ('cleo') $$, 'whom it is hidden from is not waited for'
);

select tests.sign_in('dan');
select tests.refuses($$ select public.message_receipts(pg_temp.message_id(1)) $$, 'message_not_found', 'nor told who read it');
select is_empty($$ select * from public.message_reads $$, 'in the view neither');

select tests.sign_in('eve');
select tests.refuses($$ select public.message_receipts(pg_temp.message_id(1)) $$, 'not_a_member', 'a stranger is not told who read it');
select is_empty($$ select * from public.read_ranges $$, 'nor sees ranges');
select is_empty($$ select * from public.message_reads $$, 'nor records');
select throws_ok(
  $$ insert into public.read_ranges values (tests.room_id('lounge'), tests.user_id('eve'), 1, 1, now()) $$,
  '42501', null, 'nobody writes receipts by hand'
);

select * from finish();
rollback;
