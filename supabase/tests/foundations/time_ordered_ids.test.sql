begin;
select plan(4);

create temporary table ids as
select extract(epoch from clock_timestamp()) * 1000 as before, private.uuid_v7() as id, extract(epoch from clock_timestamp()) * 1000 as after
from generate_series(1, 1000);

select is_empty($$ select id from ids where substr(id::text, 15, 1) <> '7' $$, 'ids are of version 7');
select is_empty($$ select id from ids where substr(id::text, 20, 1) not in ('8', '9', 'a', 'b') $$, 'of the variant of RFC 9562');
select is_empty(
  $$ select id
     from ids, lateral (select ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint as milliseconds) as made
     where milliseconds not between floor(before) and ceil(after) $$,
  'and begin with the millisecond in which they were made'
);
select is((select count(distinct id) from ids), 1000::bigint, 'no two are the same');

select * from finish();
rollback;
