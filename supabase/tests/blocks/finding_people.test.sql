begin;
select plan(28);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve', 'ana.silva', 'jo-doe']) as name;
select tests.create_user('anna_anonymous', true);
select tests.create_user('anton');
update public.profiles set first_name = 'José', last_name = 'García Pérez' where username = 'jo-doe';
update public.profiles set first_name = 'Ирина', last_name = 'O''Neill' where username = 'eve';
update auth.users set deleted_at = now() where id = tests.user_id('anton');

create function pg_temp.found(p_query text) returns setof text language sql as $$
  select person ->> 'username' from jsonb_array_elements(public.search_users(p_query)) as person
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ben');
select is(
  public.search_users('jo') -> 0,
  jsonb_build_object(
    'id', tests.user_id('jo-doe'), 'username', 'jo-doe', 'first_name', 'José', 'last_name', 'García Pérez',
    'email', null, 'avatar_url', null
  ),
  'a stranger finds a person, and no address'
);
select results_eq($$ select pg_temp.found('ana') $$, array['ana', 'ana.silva'], 'the exact username first; nobody without an account');
select results_eq($$ select pg_temp.found('AN') $$, array['ana', 'ana.silva'], 'by the beginning of a word; no account that is gone');
select results_eq($$ select pg_temp.found('silva') $$, array['ana.silva'], 'by any word of a username');
select results_eq($$ select pg_temp.found('jose') $$, array['jo-doe'], 'without the accents');
select results_eq($$ select pg_temp.found('JOSÉ') $$, array['jo-doe'], 'or with them');
select results_eq($$ select pg_temp.found('per gar') $$, array['jo-doe'], 'by several words, in any order');
select is_empty($$ select pg_temp.found('jose smith') $$, 'each of which must fit');
select is_empty($$ select pg_temp.found('ose') $$, 'and not within a word');
select results_eq($$ select pg_temp.found('ИРИ') $$, array['eve'], 'in other letters');
select results_eq($$ select pg_temp.found('o''ne') $$, array['eve'], 'with an apostrophe');
select results_eq($$ select pg_temp.found('\ | & ! : * eve ()') $$, array['eve'], 'signs are no operators');
select is_empty($$ select pg_temp.found('ben') $$, 'nobody finds oneself');
select is_empty($$ select pg_temp.found('example') $$, 'addresses are not searched');
select is(jsonb_array_length(public.search_users('ana', 1)), 1, 'as many as asked for');

select tests.refuses($$ select public.search_users('ana', 0) $$, 'limit_out_of_range', 'not none');
select tests.refuses($$ select public.search_users('ana', 101) $$, 'limit_out_of_range', 'nor more than 100');
select tests.refuses($$ select public.search_users('ana', null) $$, 'limit_out_of_range', 'nor all');
select tests.refuses($$ select public.search_users('a') $$, 'query_too_short', 'one letter is no search');
select tests.refuses($$ select public.search_users(' %*. ') $$, 'query_too_short', 'nor are signs');
select tests.refuses($$ select public.search_users(null) $$, 'query_too_short', 'nor nothing');
select lives_ok($$ select public.search_users(repeat('x', 200)) $$, '200 characters are one');
select tests.refuses($$ select public.search_users(repeat('x', 201)) $$, 'query_too_long', 'more are not');

select tests.sign_in('anna_anonymous');
select tests.refuses($$ select public.search_users('ana') $$, 'anonymous_not_allowed', 'who is anonymous cannot search');
select tests.as_owner();
update auth.users set is_anonymous = false where id = tests.user_id('anna_anonymous');
select tests.sign_in('ben');
select results_eq($$ select pg_temp.found('anna') $$, array['anna_anonymous'], 'whoever signs up later is found');

select tests.as_owner();
update private.rate_buckets set tokens = 1 where user_id = tests.user_id('ben') and action = 'search_users';
select tests.sign_in('ben');
select lives_ok($$ select public.search_users('ana') $$, 'the last of a minute''s searches');
select tests.refuses($$ select public.search_users('ana') $$, 'too_many_requests', 'is the last');

select tests.present('{"role": "authenticated"}');
select tests.refuses($$ select public.search_users('ana') $$, 'not_signed_in', 'nobody searches');

select * from finish();
rollback;
