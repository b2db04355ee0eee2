begin;
select plan(38);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
insert into public.chat_messages (room_id, sender_id, content)
values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
create temporary table hello as select id from public.chat_messages;
grant select on hello to authenticated;

select ok(private.is_emoji(emoji), 'staff.react: ' || emoji || ' is an emoji')
from unnest(array[
  '👍', '❤️', '😊', '😂', '😮', '😢', '🎉', '🔥', '✅', '👏',
  '❤', '👍🏽', '🇨🇭', '1️⃣', '👨‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏳️‍🌈', '©️', '⏰', '🫠'
]) as emoji;
select ok(private.is_emoji(text) is not true, coalesce(quote_literal(text), 'null') || ' is none')
from unnest(array['', 'a', 'ok', '1', ':)', '👍👍', '👍 ', ' 👍', '👍a', '🇨', '‍', '<b>', null]) as text;
select ok(not private.is_emoji('👩🏻‍❤️‍💋‍👨🏿'), 'nor are more than 8 code points');

select tests.sign_in('ben');
select tests.refuses($$ select public.add_reaction((select id from hello), 'ok') $$, 'not_an_emoji', 'a word is refused');
select lives_ok(
  $$ select public.add_reaction((select id from hello), chr(128512 + n)) from generate_series(1, 20) as n $$,
  'a message holds 20 different emojis'
);
select tests.refuses($$ select public.add_reaction((select id from hello), '🔥') $$, 'too_many_reactions', 'not 21');
select tests.sign_in('ana');
select lives_ok($$ select public.add_reaction((select id from hello), chr(128513)) $$, 'others may still put one of the 20');

select * from finish();
rollback;
