begin;
select plan(31);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('attic', members => array['ana']);
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('lounge'), tests.user_id('ben'), content
from unnest(array[
  'The towels are in the attic', 'Un été à l''Hôtel Élysée', 'Zimmer für zwei, bitte', 'напишите в Москву', 'नमस्ते दुनिया',
  'x < y and <b>bold</b> a@b.example.com', '50% off: C:\temp', '你好世界', repeat('long', 2000)
]) as content;
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('attic'), tests.user_id('ana'), content from unnest(array['dusty towels', 'nothing']) as content;

create function pg_temp.found(p_query text, p_room_id uuid default null) returns text[] language sql as $$
  select array(select left(m ->> 'content', 30) from jsonb_array_elements(public.search_messages(p_query, p_room_id)::jsonb) as m)
$$;
grant execute on function pg_temp.found(text, uuid) to authenticated;

select tests.sign_in('ana');
select is(pg_temp.found('towels'), array['dusty towels', 'The towels are in the attic'], 'staff.search: newest first, in all one''s rooms');
select is(pg_temp.found('towels', tests.room_id('lounge')), array['The towels are in the attic'], 'rooms.search: or in one of them');
select is(pg_temp.found('TOW'), array['dusty towels', 'The towels are in the attic'], 'the beginning of a word is enough, in any case');
select is(pg_temp.found('attic tow'), array['The towels are in the attic'], 'several words are all there, in any order');
select is(pg_temp.found('owels'), array[]::text[], 'the middle of a word is not enough');
select is(pg_temp.found('towels missing'), array[]::text[], 'nor is one of two words');
select is(pg_temp.found('ete hotel'), array['Un été à l''Hôtel Élysée'], 'accents do not matter');
select is(pg_temp.found('ÉLYSÉE'), array['Un été à l''Hôtel Élysée'], 'on either side');
select is(pg_temp.found(normalize('été', nfd)), array['Un été à l''Hôtel Élysée'], 'however they are written');
select is(pg_temp.found('fur'), array['Zimmer für zwei, bitte'], 'in German');
select is(pg_temp.found('МОСК'), array['напишите в Москву'], 'in Russian');
select is(pg_temp.found('दुनि'), array['नमस्ते दुनिया'], 'in Hindi');
select is(pg_temp.found('你好'), array['你好世界'], 'a text without spaces by how it begins');
select is(pg_temp.found('世界'), array[]::text[], 'not by what is within');
select is(pg_temp.found('bold y'), array['x < y and <b>bold</b> a@b.examp'::varchar(30)::text], 'what looks like HTML is words');
select is(pg_temp.found('example'), array['x < y and <b>bold</b> a@b.examp'::varchar(30)::text], 'so are the parts of an address');
select is(pg_temp.found(repeat('long', 30)), array[left(repeat('long', 30), 30)], 'a word of any length is found by how it begins');

select is(pg_temp.found(query), array[]::text[], quote_literal(left(query, 30)) || ' finds nothing, without an error')
from unnest(array['', '   ', '& | ! '' \ :* <-> ( ) %_', 'zz & | ! '' \\ :*', '''; drop table x; --', repeat('zz ', 5000)]) as query;
select is(pg_temp.found(null), array[]::text[], 'so does null');
select is(pg_temp.found('%'), array[]::text[], 'a per cent sign stands for nothing else');
select is(pg_temp.found('t_wels'), array[]::text[], 'nor does an underscore');
select is(pg_temp.found('temp\'), array['50% off: C:\temp'], 'a backslash is no letter');
select is(
  public.search_messages('dusty')::jsonb -> 0,
  private.my_message_json((select id from public.chat_messages where content = 'dusty towels')),
  'what is found looks as everywhere'
);

select tests.sign_in('ben');
select is(pg_temp.found('towels'), array['The towels are in the attic'], 'nobody finds what is in others'' rooms');
select tests.refuses(
  $$ select public.search_messages('towels', tests.room_id('attic')) $$, 'not_a_member', 'nor searches one of those'
);
select tests.refuses($$ select public.search_messages('towels', gen_random_uuid()) $$, 'room_not_found', 'or one that there is not');

select * from finish();
rollback;
