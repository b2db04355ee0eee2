begin;
select plan(22);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;

create function pg_temp.blocks() returns setof text language sql security definer as $$
  select concat_ws(' ', blocker.username, 'blocks', blocked.username)
  from public.user_blocks
  join public.profiles as blocker on blocker.id = blocker_id
  join public.profiles as blocked on blocked.id = blocked_id
$$;
create function pg_temp.found(p_query text) returns setof text language sql as $$
  select person ->> 'username' from jsonb_array_elements(public.search_users(p_query)) as person
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select lives_ok($$ select public.start_direct_chat(tests.user_id('ben')) $$, 'two people chat');
select lives_ok($$ select public.block_user(tests.user_id('ben')) $$, 'then one blocks the other');
select lives_ok($$ select public.block_user(tests.user_id('ben')) $$, 'twice, to be sure');
select set_eq($$ select pg_temp.blocks() $$, array['ana blocks ben'], 'which is one block');
select is((select count(*) from public.user_blocks), 1::bigint, 'she sees it');
select is_empty($$ select pg_temp.found('ben') $$, 'she does not find him');

select tests.refuses($$ select public.block_user(tests.user_id('ana')) $$, 'block_of_oneself', 'nobody blocks oneself');
select tests.refuses($$ select public.block_user(gen_random_uuid()) $$, 'user_not_found', 'nor nobody');
select tests.refuses($$ select public.block_user(null) $$, 'user_not_found', 'nor null');

select tests.sign_in('ben');
select is_empty($$ select * from public.user_blocks $$, 'who is blocked does not see by whom');
select is_empty($$ select pg_temp.found('ana') $$, 'and does not find her');
select lives_ok($$ select public.unblock_user(tests.user_id('ana')) $$, 'nor ends a block that is not his');
select is_empty($$ delete from public.user_blocks returning 1 $$, 'in no way');
select set_eq($$ select pg_temp.blocks() $$, array['ana blocks ben'], 'it stands');
select throws_ok(
  $$ insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ana'), tests.user_id('eve')) $$,
  '42501', null, 'nobody blocks in another''s name'
);

select lives_ok(
  $$ insert into public.user_blocks (blocked_id) values (tests.user_id('ana')), (tests.user_id('eve')) $$, 'plain rows block too'
);
select tests.refuses(
  $$ insert into public.user_blocks (blocked_id) values (tests.user_id('ben')) $$, 'block_of_oneself', 'by the same rules'
);
select lives_ok($$ delete from public.user_blocks where blocked_id = tests.user_id('eve') $$, 'and are taken back so');

select tests.sign_in('ana');
select public.unblock_user(tests.user_id('ben'));
select is_empty($$ select pg_temp.found('ben') $$, 'her block is over, his is not');
select tests.sign_in('ben');
select public.unblock_user(tests.user_id('ana'));
select set_eq($$ select pg_temp.found('ana') $$, array['ana'], 'with both gone they find each other');

select tests.present('{"role": "authenticated"}');
select tests.refuses($$ select public.block_user(tests.user_id('ana')) $$, 'not_signed_in', 'nobody blocks nobody');
select tests.refuses($$ select public.unblock_user(tests.user_id('ana')) $$, 'not_signed_in', 'nor ends a block');

select * from finish();
rollback;
