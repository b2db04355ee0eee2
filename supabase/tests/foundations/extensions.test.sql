-- Queues, a clock and HTTP from SQL are there for the project's owner, and for no client.
begin;
select plan(7);

select lives_ok($$ select cron.schedule('extensions', '0 3 * * *', 'select 1') $$, 'the owner schedules a job');
select lives_ok($$ select pgmq.create('extensions') $$, 'the owner makes a queue');
select pgmq.send('extensions', '{"to": "ana"}');
select results_eq(
  $$ select message from pgmq.read('extensions', 30, 1) $$,
  array['{"to": "ana"}'::jsonb],
  'and reads what was put into it'
);
select lives_ok($$ select net.http_get('http://127.0.0.1:1/') $$, 'the owner asks for a page');

select tests.create_user('ana');
select tests.sign_in('ana');
select throws_ok(
  $$ select cron.schedule('extensions', '0 3 * * *', 'select 1') $$,
  '42501', 'permission denied for schema cron',
  'a person schedules nothing'
);
select throws_ok(
  $$ select pgmq.send('extensions', '{"to": "ana"}') $$,
  '42501', 'permission denied for schema pgmq',
  'a person puts nothing into a queue'
);
select throws_ok(
  $$ select * from pgmq.q_extensions $$,
  '42501', 'permission denied for schema pgmq',
  'a person reads no queue'
);

select * from finish();
rollback;
