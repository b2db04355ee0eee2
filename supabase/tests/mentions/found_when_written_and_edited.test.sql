begin;
select plan(23);

select tests.create_user(name) from unnest(array['ana', 'ben', 'ben.2', 'carl', 'eve']) as name;
select tests.create_key('ana', 'key');
select tests.create_room('lounge', members => array['ana', 'ben', 'ben.2', 'carl']);

-- Whom a message by ana with this text mentions, by their names.
create function pg_temp.mentioned(p_content text) returns text[] language plpgsql as $$
begin
  return array(
    select profile.username
    from jsonb_array_elements_text(public.send_message(tests.room_id('lounge'), p_content) #> '{message,mentions}') as mention
    join public.profiles as profile on profile.id = mention::uuid
    order by profile.username collate "C"
  );
end;
$$;
grant execute on function pg_temp.mentioned(text) to authenticated;

select tests.sign_in('ana');
select is(pg_temp.mentioned('hello'), array[]::text[], 'most messages mention nobody');
select is(pg_temp.mentioned('Hello @ben.'), array['ben'], 'staff.send: a name after an @ is found, without the full stop');
select is(pg_temp.mentioned('@ben.2, @CARL and @ben!'), array['ben', 'ben.2', 'carl'], 'several are, in small or capital letters');
select is(pg_temp.mentioned('(@ben) "@ben"'), array['ben'], 'each once');
select is(pg_temp.mentioned('write to me@ben or @ben@example.com'), array[]::text[], 'an address is no mention');
select is(pg_temp.mentioned('@benjamin, @bén, https://example.com/@ben'), array[]::text[], 'nor is another word, or a link');
select is(pg_temp.mentioned('@eve @nobody'), array[]::text[], 'nor who is not in the room');
select is(pg_temp.mentioned('@ana'), array[]::text[], 'nor the sender');
select is(pg_temp.mentioned('@all lunch'), array['ben', 'ben.2', 'carl'], 'all is everybody but the sender');
select is(
  (public.send_message(
    tests.room_id('lounge'), p_encrypted_content => tests.envelope('@ben'), p_encryption_key_id => 'key'
  ) #> '{message,mentions}'),
  '[]', 'an encrypted message mentions nobody'
);

select tests.as_owner();
select is(
  (
    select count(*)
    from public.message_mentions as mention join public.chat_messages as m on m.id = mention.message_id
    where m.content = '@all lunch'
  ),
  1::bigint, 'however many are in the room, all is one row'
);
select is(
  (select payload #> '{message,mentions}' from realtime.messages where payload #>> '{message,content}' = 'Hello @ben.'),
  jsonb_build_array(tests.user_id('ben')), 'the event names them'
);
insert into public.chat_messages (room_id, sender_id, message_type, content)
values (tests.room_id('lounge'), null, 'system', 'The title is now: @all hands');
select is(
  (
    select count(*)
    from public.message_mentions as mention join public.chat_messages as m on m.id = mention.message_id
    where m.message_type = 'system'
  ),
  0::bigint, 'the system mentions nobody'
);
insert into public.user_blocks (blocker_id, blocked_id) values (tests.user_id('ben'), tests.user_id('ana'));
select tests.sign_in('ana');
select is(pg_temp.mentioned('@ben and @carl'), array['carl'], 'nobody mentions who has blocked one');
select is(pg_temp.mentioned('@all again'), array['ben.2', 'carl'], 'also not by all');
select tests.as_owner();
update public.user_blocks set blocker_id = blocked_id, blocked_id = blocker_id;
select tests.sign_in('ana');
select is(pg_temp.mentioned('still @ben'), array[]::text[], 'nor whom one has blocked');
select tests.as_owner();
delete from public.user_blocks;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'an edit by @carl');
create temporary table edited as select id from public.chat_messages where content = 'an edit by @carl';
grant select on edited to authenticated;
select is(
  public.edit_message((select id from edited), 'an edit by @ben') -> 'mentions',
  jsonb_build_array(tests.user_id('ben')), 'an edit mentions anew'
);
select is(public.edit_message((select id from edited), 'an edit') -> 'mentions', '[]', 'or nobody any more');
select public.edit_message((select id from edited), 'an edit by @carl');
select is(public.delete_message((select id from edited)) -> 'mentions', '[]', 'a deleted message shows none');
select is_empty($$ select from public.message_mentions where message_id = (select id from edited) $$, 'not in the table either');
select is(
  public.undo_delete_message((select id from edited)) -> 'mentions',
  jsonb_build_array(tests.user_id('carl')), 'brought back, it mentions them again'
);
select is(
  jsonb_path_query_array(public.get_messages(tests.room_id('lounge'))::jsonb, '$[*] ? (@.mentions.size() > 0).content'),
  '["an edit by @carl", "@all again", "@ben and @carl", "@all lunch", "(@ben) \"@ben\"", "@ben.2, @CARL and @ben!", "Hello @ben."]',
  'a page shows the same mentions'
);
select is(
  jsonb_path_query_first(public.get_messages(tests.room_id('lounge'))::jsonb, '$[*] ? (@.content == "@ben.2, @CARL and @ben!")'),
  private.my_message_json((select id from public.chat_messages where content = '@ben.2, @CARL and @ben!')),
  'each message as it looks alone'
);

select * from finish();
rollback;
