begin;
select plan(10);

select tests.create_user('ana');
select tests.create_room('lounge', members => array['ana']);
select tests.create_room('attic', members => array['ana']);
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('lounge'), tests.user_id('ana'), 'towel ' || n from generate_series(1, 25) as n;
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('attic'), tests.user_id('ana'), 'towel ' || n from generate_series(26, 45) as n;
-- Some were written at the same moment.
update public.chat_messages set created_at = date_trunc('minute', created_at) - interval '1 hour' where seq > 5;
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('attic'), tests.user_id('ana'), 'other ' || n from generate_series(1, 20) as n;

-- All pages, one after the other.
create function pg_temp.walk(p_limit int) returns setof uuid language plpgsql as $$
declare
  page jsonb := public.search_messages('towel', p_limit => p_limit)::jsonb;
begin
  while page <> '[]' loop
    return query select (m ->> 'id')::uuid from jsonb_array_elements(page) as m;
    page := public.search_messages(
      'towel', null, p_limit, (page #>> '{-1,created_at}')::timestamptz, (page #>> '{-1,id}')::uuid
    )::jsonb;
  end loop;
end;
$$;
grant execute on function pg_temp.walk(int) to authenticated;

select tests.sign_in('ana');
select is(jsonb_array_length(public.search_messages('towel')::jsonb), 20, 'a page holds 20 unless told otherwise');
select results_eq(
  format('select * from pg_temp.walk(%s)', size),
  $$ select id from public.chat_messages where content like 'towel%' order by created_at desc, id desc $$,
  'pages of ' || size || ' show each message once, newest first'
)
from unnest(array[1, 7, 45, 100]) as size;
select is(
  public.search_messages('towel', p_before => (select max(created_at) from public.chat_messages))::jsonb #>> '{0,content}',
  (select content from public.chat_messages where content like 'towel%' order by created_at desc, id desc limit 1),
  'a time alone is a cursor too'
);
select tests.refuses(
  format($$ select public.search_messages('towel', p_limit => %s) $$, size), 'limit_out_of_range', size || ' are no page'
)
from unnest(array['0', '101', 'null', '-1']) as size;

select * from finish();
rollback;
