begin;
select plan(17);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

select tests.sign_in('ana');
select results_eq(
  $$ update public.profiles
     set username = 'ana.2', first_name = 'Anna', last_name = null, avatar_url = 'https://example.com/a.png'
     where id = tests.user_id('ana')
     returning username, first_name, last_name, avatar_url $$,
  $$ values ('ana.2', 'Anna', '', 'https://example.com/a.png') $$,
  'people change their own profile'
);
select lives_ok($$ update public.profiles set username = 'ana', avatar_url = null $$, 'and back');

select tests.refuses(format('update public.profiles set username = %L', wrong), 'username_invalid', format('no username %L', wrong))
from unnest(array['', 'Ana', 'a b', '.ana', repeat('x', 41), null]) as wrong;
select tests.refuses($$ update public.profiles set username = 'ben' $$, 'username_taken', 'not the name of somebody she knows');
select tests.refuses($$ update public.profiles set username = 'eve' $$, 'username_taken', 'nor of a stranger');
select tests.refuses($$ update public.profiles set username = 'all' $$, 'username_taken', 'nor everybody''s');
select tests.refuses($$ update public.profiles set first_name = repeat('x', 101) $$, 'name_too_long', 'no endless first name');
select tests.refuses($$ update public.profiles set last_name = repeat('x', 101) $$, 'name_too_long', 'nor last name');
select tests.refuses($$ update public.profiles set avatar_url = 'javascript:alert(1)' $$, 'avatar_url_invalid', 'a picture is on the web');
select tests.refuses(
  $$ update public.profiles set avatar_url = 'https://' || repeat('x', 2000) $$, 'avatar_url_invalid', 'at a bearable address'
);

-- Without `where` and `returning`: with them, whom she may see would keep this from touching others.
update public.profiles set last_name = 'everybody';
select tests.as_owner();
select results_eq(
  $$ select username, last_name from public.profiles order by 1 $$,
  $$ values ('ana', 'everybody'), ('ben', ''), ('eve', '') $$,
  'nobody changes others, neither people she knows nor strangers'
);

grant update (id) on public.profiles to authenticated;
select tests.sign_in('ana');
select throws_ok(
  $$ update public.profiles set id = gen_random_uuid() $$, '42501', null, 'nobody becomes somebody else, whatever is granted'
);

select * from finish();
rollback;
