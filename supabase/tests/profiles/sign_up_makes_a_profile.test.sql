begin;
select plan(10);

select tests.create_user('ana');
select results_eq(
  $$ select username, first_name, email from public.profiles where username = 'ana' $$,
  $$ values ('ana', 'Ana', 'ana@example.com') $$,
  'the profile takes username and names from the sign-up metadata, and the address'
);

insert into auth.users (id, email) values ('00000000-0000-4000-8000-000000000001', 'Jo.Doe+x@example.com');
select is(
  (select username from public.profiles where id = '00000000-0000-4000-8000-000000000001'),
  'jo.doe_x',
  'a missing username is made from the local part of the address'
);

insert into auth.users (id, email, raw_user_meta_data)
values ('00000000-0000-4000-8000-000000000002', 'second@example.com', '{"username": "ANA"}');
select matches(
  (select username from public.profiles where id = '00000000-0000-4000-8000-000000000002'),
  '^ana_[0-9a-f]{6}$',
  'a taken username gets an ending'
);

insert into auth.users (id, email) values ('00000000-0000-4000-8000-000000000005', 'all@example.com');
select matches(
  (select username from public.profiles where id = '00000000-0000-4000-8000-000000000005'),
  '^all_[0-9a-f]{6}$',
  'nobody is @all, who is everybody'
);

insert into auth.users (id, is_anonymous) values ('00000000-0000-4000-8000-000000000003', true);
select matches(
  (select username from public.profiles where id = '00000000-0000-4000-8000-000000000003'),
  '^guest',
  'an anonymous user is a guest'
);

insert into auth.users (id, email, raw_user_meta_data)
values (
  '00000000-0000-4000-8000-000000000004', 'long@example.com',
  jsonb_build_object('username', repeat('x', 5000), 'first_name', repeat('y', 5000))
);
select is(
  (select char_length(first_name) from public.profiles where id = '00000000-0000-4000-8000-000000000004'),
  100,
  'metadata of any size cannot stop a sign-up'
);

update auth.users set email = 'ana@new.example' where id = tests.user_id('ana');
select is(
  (select email from public.profiles where username = 'ana'), 'ana@new.example', 'the profile follows a new address'
);

select tests.sign_in('ana');
select results_eq(
  $$ update public.profiles set first_name = 'Anna' where username = 'ana' returning first_name $$,
  $$ values ('Anna') $$,
  'people change their own names'
);
select throws_ok(
  $$ update public.profiles set email = 'forged@example.com' $$, '42501', null, 'nobody changes the address here'
);

select tests.as_owner();
delete from auth.users where id = tests.user_id('ana');
select is(tests.user_id('ana'), null, 'the profile goes with the account');

select * from finish();
rollback;
