-- What staff write among themselves: their chats in an organization, page by page.
begin;
select plan(32);

select tests.create_user(name) from unnest(array['ana', 'ben', 'zoe', 'eve']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), m.role::public.organization_role
from (values ('grand', 'ana', 'admin'), ('grand', 'ben', 'staff'), ('grand', 'zoe', 'staff'), ('other', 'ana', 'admin')) as m (slug, name, role)
join public.organizations as o using (slug);
create function pg_temp.hotel(p_slug text default 'grand') returns uuid language sql stable security definer as $$
  select id from public.organizations where slug = p_slug
$$;
create function pg_temp.titles(p_page json) returns text language sql as $$
  select string_agg(coalesce(r ->> 'title', r ->> 'type'), ' ' order by nth)
  from json_array_elements(p_page -> 'rooms') with ordinality as e (r, nth)
$$;
create function pg_temp.message(p_room text) returns uuid language sql stable security definer as $$
  select id from public.chat_messages where room_id = tests.room_id(p_room) and seq = 1
$$;
create function pg_temp.updated_at(p_room text) returns timestamptz language sql stable security definer as $$
  select updated_at from public.chat_rooms where id = tests.room_id(p_room)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select tests.sign_in('ana');
select public.create_group_chat('Kitchen', array[tests.user_id('ben')], p_organization_id => pg_temp.hotel());
select public.create_group_chat('Reception', array[tests.user_id('ben')], 'Keys, taxis', p_organization_id => pg_temp.hotel());
select public.create_group_chat('Elsewhere', '{}', p_organization_id => pg_temp.hotel('other'));
select public.create_group_chat('Private', array[tests.user_id('ben')]);
select public.check_in_guest(pg_temp.hotel(), '101', 'Maria');
select public.start_direct_chat(tests.user_id('zoe'), pg_temp.hotel());
select public.send_message(tests.room_id(title), 'the taxi of ' || title)
from unnest(array['Elsewhere', 'Private', 'Kitchen', 'Reception']) as title;

-- Which
select is(
  pg_temp.titles(public.staff_rooms(pg_temp.hotel())), 'Reception Kitchen direct', 'those of the hotel, the newest first, and no guest''s'
);
select is(public.staff_rooms(pg_temp.hotel()) ->> 'count', '3', 'all are counted');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel('other'))), 'Elsewhere', 'another hotel has its own');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_type => 'direct')), 'direct', 'of a type');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => 'KITCH')), 'Kitchen', 'whose title begins so');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => 'taxi key')), 'Reception', 'or whose description has the words');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => 'zo')), 'direct', 'or where somebody has that name');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => 'ana')), null, 'but for the caller');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => '''!')), null, 'no word finds nothing');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_query => ' ')), 'Reception Kitchen direct', 'no query is none');

select tests.sign_in('ben');
select public.mark_read(tests.room_id('Kitchen'));
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_unread => true)), 'Reception', 'with unread messages');
select public.archive_chat(tests.room_id('Kitchen'));
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), true)), 'Kitchen', 'archived ones');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel())), 'Reception', 'or the others');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), null)), 'Reception Kitchen', 'or both');
select is(public.unread_counts(p_organization_id => pg_temp.hotel()) ->> 'total_unread', '1', 'what is unread in the hotel''s chats alone');
select is(public.unread_counts() ->> 'total_unread', '2', 'is not all that is unread');
select is(
  jsonb_array_length(public.search_messages('taxi', p_organization_id => pg_temp.hotel())::jsonb), 2, 'a search finds what is in the hotel''s chats'
);
select is(jsonb_array_length(public.search_messages('taxi')::jsonb), 3, 'and without the hotel all');

-- Pages
select tests.sign_in('ana');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_limit => 2)), 'Reception Kitchen', 'a page');
select is(public.staff_rooms(pg_temp.hotel(), p_limit => 2) ->> 'has_more', 'true', 'is not the last');
select is(pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_limit => 2, p_offset => 2)), 'direct', 'the last is');
select is(
  pg_temp.titles(public.staff_rooms(pg_temp.hotel(), p_from => pg_temp.updated_at('Reception'), p_from_id => tests.room_id('Reception'))),
  'Kitchen direct',
  'after a room'
);
select is(
  pg_temp.titles(
    public.staff_rooms(
      pg_temp.hotel(), p_limit => 1, p_from => pg_temp.updated_at('Kitchen'), p_from_id => tests.room_id('Kitchen'), p_backwards => true
    )
  ),
  'Reception',
  'and before it'
);
select tests.refuses($$ select public.staff_rooms(pg_temp.hotel(), p_limit => 0) $$, 'limit_out_of_range', 'no page is empty');
select tests.sign_in('eve');
select tests.refuses($$ select public.staff_rooms(pg_temp.hotel()) $$, 'not_in_organization', 'strangers have none');

-- Places
select tests.sign_in('ana');
select is(
  public.locate_messages(array[pg_temp.message('Kitchen')]) ->> 'organization_slug', 'grand', 'messages of one room are there'
);
select tests.refuses(
  $$ select public.locate_messages(array[pg_temp.message('Kitchen'), pg_temp.message('Reception')]) $$,
  'message_not_found',
  'those of several are not found'
);
select tests.refuses(
  $$ select public.locate_messages(array_fill(pg_temp.message('Kitchen'), array[501])) $$,
  'message_count_out_of_range',
  'and 500 at most are looked for'
);

-- Files
select tests.as_owner();
create function pg_temp.file(p_name text) returns uuid language sql stable security definer as $$
  select id from public.media_assets where file_name = p_name
$$;
grant execute on function pg_temp.file(text) to authenticated;
select public.create_attachments(
  tests.user_id('ana'),
  tests.room_id('Kitchen'),
  '[{"file_name": "sent.txt", "mime_type": "text/plain", "size_bytes": 1},
    {"file_name": "waiting.txt", "mime_type": "text/plain", "size_bytes": 1}]'
);
select public.verify_attachment(pg_temp.file('sent.txt'), 'text/plain', 1);
select tests.sign_in('ana');
select public.send_message(tests.room_id('Kitchen'), p_attachment_ids => array[pg_temp.file('sent.txt')]);
select is(
  public.locate_attachment(pg_temp.file('waiting.txt')) ->> 'room_id', tests.room_id('Kitchen')::text, 'an upload of one''s own'
);
select tests.sign_in('ben');
select is(
  public.locate_attachment(pg_temp.file('sent.txt')) ->> 'room_id', tests.room_id('Kitchen')::text, 'and a file of a message are there'
);
select tests.refuses(
  $$ select public.locate_attachment(pg_temp.file('waiting.txt')) $$, 'attachment_not_found', 'another''s upload is not'
);
select tests.sign_in('zoe');
select tests.refuses(
  $$ select public.locate_attachment(pg_temp.file('sent.txt')) $$, 'not_a_member', 'nor a file of a chat that is not one''s own'
);

select * from finish();
rollback;
