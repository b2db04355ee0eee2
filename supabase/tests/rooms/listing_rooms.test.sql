begin;
select plan(29);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col', 'eve']) as name;
select tests.create_user('guest', p_is_anonymous => true);
insert into public.organizations (slug, name) values ('grand', 'Grand');
insert into public.organization_members (organization_id, user_id) select id, tests.user_id('col') from public.organizations;
select tests.create_room(title, members => array['ana', 'ben']) from unnest(array['one', 'two', 'three', 'four']) as title;
select tests.create_room('not hers', members => array['ben']);
update public.chat_rooms set updated_at = '2026-01-01'::timestamptz + title_nth * interval '1 day'
from unnest(array['one', 'two', 'three', 'four']) with ordinality as titles (title_known, title_nth)
where title = title_known;

create function pg_temp.titles(p_rooms json) returns text[] language sql as $$
  select array_agg(r ->> 'title' order by nth) from json_array_elements(p_rooms) with ordinality as rooms (r, nth)
$$;
create function pg_temp.prefer(p_title text, p_set text) returns void language plpgsql security definer as $$
begin
  execute format(
    'update public.user_chat_preferences set %s where user_id = %L and room_id = %L',
    p_set, tests.user_id('ana'), tests.room_id(p_title)
  );
end;
$$;
grant execute on function pg_temp.titles(json), pg_temp.prefer(text, text) to authenticated;

select tests.sign_in('eve');
select is(public.get_rooms()::text, '[]', 'a stranger has none');
select tests.refuses($$ select public.get_rooms(p_room_id => tests.room_id('one')) $$, 'not_a_member', 'and is shown none by its id');
select tests.refuses($$ select public.get_rooms(p_room_id => gen_random_uuid()) $$, 'room_not_found', 'there is no such room');

select tests.sign_in('ana');
select is(pg_temp.titles(public.get_rooms()), array['four', 'three', 'two', 'one'], 'rooms.list: the newest first, and mine alone');
select public.send_message(tests.room_id('two'), 'hello');
select is(pg_temp.titles(public.get_rooms()), array['two', 'four', 'three', 'one'], 'a message brings its room up');
select is(
  (public.get_rooms(p_room_id => tests.room_id('one')) -> 0)::jsonb, (public.get_rooms(p_limit => 4) -> 3)::jsonb, 'a room by its id looks the same'
);

-- Pages
select is(pg_temp.titles(public.get_rooms(p_limit => 2)), array['two', 'four'], 'a page');
select is(
  pg_temp.titles(public.get_rooms(p_before => updated_at, p_before_id => id)), array['three', 'one'], 'and the next'
) from public.chat_rooms where title = 'four';
select is(pg_temp.titles(public.get_rooms(p_before => updated_at)), array['three', 'one'], 'by the time alone too')
from public.chat_rooms where title = 'four';
select tests.as_owner();
update public.chat_rooms set updated_at = '2026-01-01' where title in ('one', 'three', 'four');
select tests.sign_in('ana');
select is(
  (
    with recursive walk as (
      select public.get_rooms(p_limit => 1) -> 0 as room
      union all
      select public.get_rooms(p_limit => 1, p_before => (room ->> 'updated_at')::timestamptz, p_before_id => (room ->> 'id')::uuid) -> 0
      from walk where room is not null
    )
    select count(distinct room ->> 'id') || ' of ' || count(room) from walk
  ),
  '4 of 4', 'rooms of the same moment come once each'
);
select tests.refuses('select public.get_rooms(p_limit => 0)', 'limit_out_of_range', 'a page is not empty');
select tests.refuses('select public.get_rooms(p_limit => 501)', 'limit_out_of_range', 'nor endless');
select tests.refuses('select public.get_rooms(p_limit => null)', 'limit_out_of_range', 'nor of any size');
select lives_ok('select public.get_rooms(p_limit => 500)', 'of 500 it may be');

-- Archived
select pg_temp.prefer('two', 'is_archived = true, archived_at = now()');
select is(pg_temp.titles(public.get_rooms(p_archived => true)), array['two'], 'mobile.archive: the archived ones');
select ok(not 'two' = any (pg_temp.titles(public.get_rooms())), 'mobile.archive: not among the others');
select is(json_array_length(public.get_rooms(p_archived => null)), 4, 'or both');
select is(public.get_rooms(p_room_id => tests.room_id('two')) -> 0 ->> 'is_archived', 'true', 'by its id it is shown');
select tests.sign_in('ben');
select ok('two' = any (pg_temp.titles(public.get_rooms())), 'for another nothing is archived');

-- Deleted
select tests.sign_in('ana');
select pg_temp.prefer('two', 'is_archived = false, archived_at = null, is_deleted = true, deleted_at = now(), cleared_seq = 1');
select ok(not 'two' = any (pg_temp.titles(public.get_rooms(null))), 'mobile.delete: a deleted chat is hidden');
select tests.sign_in('ben');
select ok('two' = any (pg_temp.titles(public.get_rooms())), 'mobile.delete: for the other it is not');
select public.send_message(tests.room_id('two'), 'are you there?');
select tests.sign_in('ana');
select is(
  public.get_rooms(null) #>> '{0,last_message,content}', 'are you there?', 'mobile.delete: it comes back when a message arrives'
);
select is(public.get_rooms(null) #>> '{0,unread_count}', '1', 'with that alone unread');

-- Guests
select tests.as_owner();
insert into public.chat_rooms (type, title, room_number, organization_id, closed_at)
select 'guest', title, '101', id, left_at
from public.organizations, (values ('guest', null), ('past guest', now())) as stays (title, left_at);
insert into public.chat_room_members (room_id, user_id, expires_at)
values (tests.room_id('guest'), tests.user_id('guest'), now() + interval '1 day');
select tests.sign_in('col');
select is(pg_temp.titles(public.get_rooms()), array['guest'], 'staff see the guests who are there');
select is(public.get_rooms() #>> '{0,member_count}', '2', 'themselves among those in the room');
select is(
  array(select p ->> 'username' from json_array_elements(public.get_rooms() #> '{0,participants}') as p),
  array['col', 'guest'], 'first'
);
select tests.sign_in('guest');
select is(pg_temp.titles(public.get_rooms()), array['guest'], 'guests see theirs');
select tests.as_owner();
update public.chat_room_members set expires_at = now() where user_id = tests.user_id('guest');
select tests.sign_in('guest');
select is(public.get_rooms()::text, '[]', 'until their time is over');

select tests.present('{"role": "authenticated"}');
select tests.refuses('select public.get_rooms()', 'not_signed_in', 'who is nobody has none');

select * from finish();
rollback;
