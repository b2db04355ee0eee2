begin;
select plan(6);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
create function pg_temp.take(p_name text) returns void language sql as $$
  select private.take_token(tests.user_id(p_name), 'send', 2, '1 minute')
$$;

select pg_temp.take('ana');
select lives_ok($$ select pg_temp.take('ana') $$, 'a bucket of two holds two');
select tests.refuses($$ select pg_temp.take('ana') $$, 'too_many_requests', 'and no third');
select pg_temp.take('ben');
update private.rate_buckets set filled_at = filled_at - interval '30 seconds' where user_id = tests.user_id('ana');
select lives_ok($$ select pg_temp.take('ana') $$, 'after half of its time there is one more');

update private.rate_buckets set filled_at = now() - interval '25 hours' where user_id = tests.user_id('ana');
select private.purge_rate_buckets();
select results_eq(
  $$ select user_id from private.rate_buckets $$, $$ select tests.user_id('ben') $$, 'a job forgets what was a day ago, and nothing else'
);
select lives_ok($$ select pg_temp.take('ana'), pg_temp.take('ana') $$, 'who is forgotten has a full bucket');
select results_eq(
  $$ select schedule, command from cron.job where jobname = 'purge_rate_buckets' $$,
  $$ values ('30 3 * * *', 'select private.purge_rate_buckets()') $$, 'every night'
);

select * from finish();
rollback;
