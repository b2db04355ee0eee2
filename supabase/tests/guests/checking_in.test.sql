begin;
select plan(26);

select tests.create_user(name) from unnest(array['ana', 'chloe', 'eve', 'guest']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), m.role::public.organization_role
from (values ('grand', 'ana', 'admin'), ('grand', 'chloe', 'staff'), ('other', 'eve', 'staff')) as m (slug, name, role)
join public.organizations as o using (slug);
create function pg_temp.hotel(p_slug text) returns uuid language sql security definer as $$
  select id from public.organizations where slug = p_slug
$$;
create function pg_temp.check_in(p_number text, p_name text, p_expires_at timestamptz default null) returns jsonb language sql as $$
  select public.check_in_guest(pg_temp.hotel('grand'), p_number, p_name, p_expires_at)
$$;
grant execute on all functions in schema pg_temp to authenticated;
create temporary table answers (answer jsonb);
grant all on answers to authenticated;

select tests.sign_in('chloe');
insert into answers select pg_temp.check_in(' 101a ', 'Maria Lopez');
select matches(
  (select answer ->> 'code' from answers), '^[A-Z2-7]{10}$', 'hotel.guest: staff check a guest in and get ten base32 characters'
);
select results_eq(
  'select id, room_id, room_number, guest_name, guest_user_id, expires_at, checked_out_at, created_by from public.guest_stays',
  $$ select (answer ->> 'stay_id')::uuid, (answer ->> 'room_id')::uuid, '101a', 'Maria Lopez', null::uuid, null::timestamptz,
       null::timestamptz, tests.user_id('chloe')
     from answers $$,
  'the stay is there, for nobody yet'
);
select results_eq(
  'select type::text, room_number, title, organization_id from public.chat_rooms',
  $$ values ('guest', '101a', 'Maria Lopez', pg_temp.hotel('grand')) $$,
  'with a room of its own'
);
select throws_ok('select code_hash from public.guest_stays', '42501', null, 'nobody reads the hash of the code');
select throws_ok('update public.guest_stays set guest_name = guest_name', '42501', null, 'or writes a stay');
select throws_ok('delete from public.guest_stays', '42501', null, 'or deletes one');
select tests.as_owner();
select matches((select code_hash from public.guest_stays), '^\$2a\$10\$', 'the hash is a slow one');
select is_empty(
  $$ select s from public.guest_stays as s, answers where s::text like '%' || (answer ->> 'code') || '%' $$,
  'the code itself is nowhere'
);

select tests.sign_in('ana');
select tests.refuses($$ select pg_temp.check_in('101A', 'Somebody else') $$, 'room_occupied', 'a number is taken once, however it is written');
select lives_ok($$ select pg_temp.check_in('102', 'Somebody else') $$, 'another is free');
select tests.refuses('select pg_temp.check_in(' || arguments || ')', code, arguments)
from (
  values
    ($$ '', 'Maria' $$, 'room_number_invalid'),
    ($$ null, 'Maria' $$, 'room_number_invalid'),
    ($$ repeat('1', 21), 'Maria' $$, 'room_number_invalid'),
    ($$ '103', ' ' $$, 'guest_name_invalid'),
    ($$ '103', null $$, 'guest_name_invalid'),
    ($$ '103', repeat('M', 201) $$, 'guest_name_invalid'),
    ($$ '103', 'Maria', now() $$, 'expiry_in_the_past')
) as wrong (arguments, code);
select lives_ok($$ select pg_temp.check_in('103', 'Maria', now() + interval '1 day') $$, 'a stay may end by itself');

select tests.sign_in('eve');
select tests.refuses($$ select pg_temp.check_in('104', 'Maria') $$, 'not_in_organization', 'staff of another hotel check nobody in');
select tests.refuses($$ select public.check_in_guest(null, '104', 'Maria') $$, 'organization_not_found', 'where there is no hotel nobody does');
select is_empty('select id from public.guest_stays', 'they see no stay');
select lives_ok($$ select public.check_in_guest(pg_temp.hotel('other'), '101a', 'Maria') $$, 'their own hotel has such a number too');
select results_eq('select room_number from public.guest_stays', array['101a'], 'and they see that');
select tests.sign_in('guest');
select tests.refuses($$ select pg_temp.check_in('104', 'Maria') $$, 'not_in_organization', 'nobody checks oneself in');
select is_empty('select id from public.guest_stays', 'or sees a stay');

-- The time of 103 is over, and the job has not been here yet.
select tests.as_owner();
update public.guest_stays set expires_at = now() - interval '1 second' where room_number = '103';
select tests.sign_in('ana');
select lives_ok($$ select pg_temp.check_in('103', 'Nina') $$, 'whose time is over makes room for the next');

select * from finish();
rollback;
