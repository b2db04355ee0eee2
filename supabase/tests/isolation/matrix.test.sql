-- Who reaches what: everybody × every table × every verb, and everybody × every function. A table or function that these
-- lists do not name fails the test; what the service role alone may call is in foundations/grants.
--
--   ana    owner of the group "lounge", where ben is a member and carl was one
--   bob    has a direct chat with ana, who has blocked him
--   stan   staff of the hotel "grand"; gina is its guest in the room "suite", greta was in "past"; both have no account
--   otto   staff of another hotel
--   eve    has an account and nothing else; nora not even that
--   none   has no token
begin;
select plan(6);

select tests.create_user(name) from unnest(array['ana', 'ben', 'bob', 'carl', 'eve', 'otto', 'stan']) as name;
select tests.create_user(name, p_is_anonymous => true) from unnest(array['gina', 'greta', 'nora']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), 'admin'
from (values ('grand', 'stan'), ('other', 'otto')) as m (slug, name) join public.organizations as o using (slug);

-- Functions
create function pg_temp.organization(p_slug text default 'grand') returns uuid language sql stable security definer as $$
  select id from public.organizations where slug = p_slug
$$;
create function pg_temp.slug(p_id uuid) returns text language sql stable security definer as $$
  select slug from public.organizations where id = p_id
$$;
create function pg_temp.room(p_id uuid) returns text language sql stable security definer as $$
  select coalesce(title, 'direct') from public.chat_rooms where id = p_id
$$;
create function pg_temp.name(p_id uuid) returns text language sql stable security definer as $$
  select username from public.profiles where id = p_id
$$;
create function pg_temp.message(p_room text, p_seq int default 1) returns uuid language sql stable security definer as $$
  select m.id from public.chat_messages as m where room_id = tests.room_id(p_room) and seq = p_seq
$$;
create function pg_temp.stay(p_room text) returns uuid language sql stable security definer as $$
  select id from public.guest_stays where room_id = tests.room_id(p_room)
$$;
create function pg_temp.file() returns uuid language sql stable security definer as $$
  select id from public.media_assets limit 1
$$;
create function pg_temp.uploader(p_id uuid) returns text language sql stable security definer as $$
  select pg_temp.name(owner_id) from public.media_assets where id = p_id
$$;
grant execute on all functions in schema pg_temp to authenticated;

-- Data: something in every table.
select tests.create_room('lounge', members => array['ana', 'ben', 'carl']);
update public.chat_room_members set role = 'owner' where user_id = tests.user_id('ana');
select public.verify_attachment((upload -> 'uploads' -> 0 ->> 'attachment_id')::uuid, 'image/png', 9)
from public.create_attachments(
  tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "secret.png", "mime_type": "image/png", "size_bytes": 9}]'
) as upload;
select tests.create_key('ana', 'K1');

create function pg_temp.check_in(p_guest text, p_room text) returns void language plpgsql as $$
declare
  code text;
begin
  perform tests.sign_in('stan');
  code := public.check_in_guest(pg_temp.organization(), p_room, p_room) ->> 'code';
  perform tests.sign_in(p_guest);
  perform public.join_as_guest('grand', p_room, code);
  perform public.send_message(tests.room_id(p_room), 'the secret of ' || p_guest);
  perform tests.as_owner();
end;
$$;
select pg_temp.check_in('gina', 'suite'), pg_temp.check_in('greta', 'past');
select tests.sign_in('stan');
select public.check_out_guest(pg_temp.stay('past'));
select public.delete_message(pg_temp.message('suite'));
select public.undo_delete_message(pg_temp.message('suite'));

select tests.sign_in('bob');
select public.start_direct_chat(tests.user_id('ana'), p_content => 'hello');
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), 'the secret of @ben', p_attachment_ids => array[pg_temp.file()]);
select public.add_reaction(pg_temp.message('lounge'), '👍');
select public.track_download(pg_temp.message('lounge'), array[pg_temp.file()]);
select public.heartbeat();
select public.register_device('token', 'ios');
insert into public.notification_preferences default values;
select public.block_user(tests.user_id('bob'));
select tests.sign_in('carl');
select public.send_message(tests.room_id('lounge'), 'the secret of carl');
select public.mark_read(tests.room_id('lounge'));
select public.remove_room_member(tests.room_id('lounge'), tests.user_id('carl'));
select tests.sign_in('gina');
select public.report_message(pg_temp.message('suite'), 'just so');
select tests.sign_in('ben');
select public.mark_read(tests.room_id('lounge'));
select public.verify_encryption_key(tests.user_id('ana'), 'K1', upper(encode(sha256('K1'), 'hex')));
select tests.as_owner();

-- What each row belongs to, and who reaches it. Of the tables that everybody has rows of, these columns speak of the rows
-- that others have. Nobody: an empty text.
create temporary table expected (relation text, row_of text, may_select text, may_insert text, may_update text, may_delete text);
insert into expected
values
  ('chat_messages', 'pg_temp.room(room_id)', 'direct: ana bob; lounge: ana ben; suite: gina stan', 'lounge: ana ben; suite: gina stan', 'lounge: ana; suite: gina', ''),
  ('chat_room_members', 'pg_temp.room(room_id)', 'direct: ana bob; lounge: ana ben; suite: gina stan', '', '', ''),
  ('chat_rooms', 'pg_temp.room(id)', 'direct: ana bob; lounge: ana ben; suite: gina stan', '', 'lounge: ana', ''),
  ('guest_stays', 'pg_temp.slug(organization_id)', 'grand: stan', '', '', ''),
  ('key_verifications', 'pg_temp.name(verifier_user_id)', 'ben: ben', '', '', ''),
  ('media_assets', 'pg_temp.uploader(id)', 'ana: ana ben', '', '', ''),
  ('message_attachments', 'pg_temp.room(room_id)', 'lounge: ana ben', '', '', ''),
  ('message_audit', 'pg_temp.slug(organization_id)', 'grand: stan', '', '', ''),
  ('message_downloads', 'pg_temp.name(user_id)', 'ana: ana', '', '', ''),
  ('message_mentions', 'pg_temp.room(room_id)', 'lounge: ana ben', '', '', ''),
  ('message_reactions', 'pg_temp.room(room_id)', 'lounge: ana ben', 'lounge: ana ben', '', 'lounge: ana'),
  ('message_reads', 'pg_temp.room(room_id)', 'lounge: ana ben', '', '', ''),
  ('message_reports', 'pg_temp.slug(organization_id)', 'grand: stan', '', '', ''),
  ('notification_preferences', 'pg_temp.name(user_id)', 'ana: ana', 'ana: ana', 'ana: ana', 'ana: ana'),
  ('organization_members', 'pg_temp.slug(organization_id)', 'grand: stan; other: otto', '', '', ''),
  ('organizations', 'pg_temp.slug(id)', 'grand: stan; other: otto', '', 'grand: stan; other: otto', ''),
  ('profiles', 'username', 'ana: ana ben bob; ben: ana ben; bob: ana bob; carl: carl; eve: eve; gina: gina stan; greta: greta; nora: nora; otto: otto; stan: gina stan', '', 'ana: ana; ben: ben; bob: bob; carl: carl; eve: eve; gina: gina; greta: greta; nora: nora; otto: otto; stan: stan', ''),
  ('read_ranges', 'pg_temp.room(room_id)', 'lounge: ana ben', '', '', ''),
  ('user_blocks', 'pg_temp.name(blocker_id)', 'ana: ana', 'ana: ana ben bob carl eve gina greta nora otto stan', '', 'ana: ana'),
  ('user_chat_preferences', 'pg_temp.name(user_id)', 'ana: ana; ben: ben; bob: bob; carl: carl; gina: gina; greta: greta', '', '', ''),
  ('user_devices', 'pg_temp.name(user_id)', 'ana: ana', '', '', 'ana: ana'),
  ('user_encryption_keys', 'pg_temp.name(user_id)', 'ana: ana ben bob', '', '', ''),
  ('user_presence', 'pg_temp.name(user_id)', 'ana: ana ben', '', '', '');

create temporary table people (who text);
insert into people values ('ana'), ('ben'), ('bob'), ('carl'), ('eve'), ('gina'), ('greta'), ('nora'), ('otto'), ('stan'), ('none');

create function pg_temp.present(p_who text) returns void language plpgsql as $$
begin
  if p_who = 'none' then
    perform tests.sign_out();
  else
    perform tests.sign_in(p_who);
  end if;
end;
$$;

-- Whether this statement of this person reached a row. Whatever it did is undone.
create function pg_temp.reaches(p_who text, p_statement text) returns boolean language plpgsql as $$
declare
  touched int;
  state text;
  message text;
begin
  perform pg_temp.present(p_who);
  execute p_statement;
  get diagnostics touched = row_count;
  -- What an insert has no new row for, it has read.
  raise exception using errcode = 'XX999', message = touched + (p_statement like 'insert%')::int;
exception
  when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text;
    -- No right, none of mine, none there, over, or a view.
    return case when state = 'XX999' then message::int > 0 else state not in ('42501', 'PT403', 'PT404', 'PT409', '55000') end;
end;
$$;

-- The columns that this person writes; where there are none, all of them.
create function pg_temp.columns(p_relation text, p_verb text, p_form text) returns text language sql as $$
  select coalesce(
    string_agg(replace(p_form, '%', quote_ident(attname)), ', ') filter (where has_column_privilege('authenticated', attrelid, attname, p_verb)),
    string_agg(replace(p_form, '%', quote_ident(attname)), ', ') filter (where attgenerated = '')
  )
  from pg_attribute
  where attrelid = ('public.' || p_relation)::regclass and attnum > 0 and not attisdropped
$$;

create function pg_temp.statement(p_relation text, p_verb text, p_row_of text, p_label text) returns text language plpgsql as $$
declare
  copied jsonb;
begin
  if p_verb = 'insert' then
    execute format('select to_jsonb(t) from public.%I as t where %s = %L order by t desc limit 1', p_relation, p_row_of, p_label) into copied;
    return format(
      'insert into public.%1$I (%2$s) select %2$s from jsonb_populate_record(null::public.%1$I, %3$L)',
      p_relation, pg_temp.columns(p_relation, 'insert', '%'), copied
    );
  end if;
  return format(
    case p_verb
      when 'select' then 'select from public.%I where %s = %L'
      when 'update' then 'update public.%I set ' || replace(pg_temp.columns(p_relation, 'update', '% = %'), '%', '%%') || ' where %s = %L'
      when 'delete' then 'delete from public.%I where %s = %L'
    end,
    p_relation, p_row_of, p_label
  );
end;
$$;

create function pg_temp.labels(p_relation text, p_row_of text) returns setof text language plpgsql as $$
begin
  return query execute format('select distinct %s from public.%I where %1$s is not null order by 1', p_row_of, p_relation);
end;
$$;

create function pg_temp.may(p_relation text, p_verb text, p_row_of text) returns text language sql as $$
  select coalesce(string_agg(label || ': ' || names, '; ' order by label), '')
  from (
    select label, string_agg(who, ' ' order by who) as names
    from pg_temp.labels(p_relation, p_row_of) as label, people
    where pg_temp.reaches(who, pg_temp.statement(p_relation, p_verb, p_row_of, label))
    group by label
  ) as reached
$$;
grant execute on all functions in schema pg_temp to anon, authenticated;

select bag_eq(
  $$ select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') $$,
  $$ select relation from expected $$,
  'every table and view is in the list'
);
select is_empty(
  $$ select relation from expected where not exists (select from pg_temp.labels(relation, row_of)) $$,
  'and has something to reach'
);
select is_empty(
  $$ select relation, verb, 'is reached by', reached, 'and not by', wanted
     from expected,
       lateral (
         values ('select', may_select), ('insert', may_insert), ('update', may_update), ('delete', may_delete)
       ) as verbs (verb, wanted),
       pg_temp.may(relation, verb, row_of) as reached
     where reached <> wanted $$,
  'tables: who reaches whose rows'
);

-- Who may call what; what the others are refused with; and whoever is refused with something else. Nobody without a token
-- may call anything.
create temporary table calls (call text, may text, refusal text, but jsonb);
insert into calls
values
  ($$add_organization_member(pg_temp.organization(), tests.user_id('eve'), 'staff')$$, 'stan', 'not_in_organization', null),
  ($$add_reaction(pg_temp.message('lounge'), '🎉')$$, 'ana ben', 'not_a_member', null),
  ($$add_room_members(tests.room_id('lounge'), array[tests.user_id('eve')])$$, 'ana', 'not_a_member', '{"ben": "not_an_admin"}'),
  ($$archive_chat(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$block_user(tests.user_id('eve'))$$, 'everybody', null, '{"eve": "block_of_oneself"}'),
  ($$calculate_unread_count(tests.user_id('ana'), tests.room_id('lounge'))$$, 'everybody', null, null),
  ($$can_delete_message(pg_temp.message('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$check_in_guest(pg_temp.organization(), '7', 'Somebody')$$, 'stan', 'not_in_organization', null),
  ($$check_out_guest(pg_temp.stay('suite'))$$, 'stan', 'not_in_organization', null),
  ($$clear_chat(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$clear_chat(tests.room_id('lounge'), true)$$, 'ana', 'not_a_member', '{"ben": "not_an_admin"}'),
  ($$count_calls()$$, 'everybody', null, null),
  ($$create_group_chat('Us', array[tests.user_id('carl')])$$, 'everybody', null, '{"gina": "anonymous_not_allowed", "greta": "anonymous_not_allowed", "nora": "anonymous_not_allowed"}'),
  ($$create_organization('Mine', 'mine')$$, 'everybody', null, '{"gina": "anonymous_not_allowed", "greta": "anonymous_not_allowed", "nora": "anonymous_not_allowed"}'),
  ($$delete_attachment(pg_temp.file())$$, 'ana', 'not_a_member', '{"ben": "not_the_author"}'),
  ($$delete_chat(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$delete_message(pg_temp.message('lounge'))$$, 'ana', 'not_a_member', '{"ben": "not_the_author"}'),
  ($$delete_message(pg_temp.message('lounge'), true)$$, 'ana', 'not_a_member', '{"ben": "not_an_admin"}'),
  ($$delete_messages(array[pg_temp.message('lounge')])$$, 'ana', 'not_a_member', '{"ben": "not_the_author"}'),
  ($$delete_organization(pg_temp.organization())$$, 'stan', 'not_in_organization', null),
  ($$edit_message(pg_temp.message('lounge'), 'mine')$$, 'ana', 'not_a_member', '{"ben": "not_the_author"}'),
  ($$forward_message(pg_temp.message('lounge'), array[tests.room_id('lounge')])$$, 'ana ben', 'not_a_member', null),
  ($$forward_message(pg_temp.message('suite'), array[tests.room_id('lounge')])$$, '', 'not_a_member', null),
  ($$get_attachments(array[pg_temp.file()])$$, 'ana ben', 'not_a_member', null),
  ($$get_encryption_keys(tests.user_id('ana'))$$, 'ana ben bob', 'not_a_room_mate', null),
  ($$get_messages(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$get_messages(tests.room_id('past'))$$, 'stan', 'not_a_member', null),
  ($$get_messages(tests.room_id('suite'))$$, 'gina stan', 'not_a_member', null),
  ($$get_rooms()$$, 'everybody', null, null),
  ($$get_rooms(p_room_id => tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$get_rooms(p_room_id => tests.room_id('past'))$$, 'stan', 'not_a_member', null),
  ($$heartbeat(35, tests.room_id('lounge'))$$, 'everybody', null, null),
  ($$join_as_guest('grand', 'suite', 'AAAAAAAAAA')$$, '', 'wrong_code', null),
  ($$list_guest_stays(pg_temp.organization(), null)$$, 'stan', 'not_in_organization', null),
  ($$locate_attachment(pg_temp.file())$$, 'ana ben', 'not_a_member', null),
  ($$locate_message(pg_temp.message('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$locate_messages(array[pg_temp.message('lounge')])$$, 'ana ben', 'not_a_member', null),
  ($$locate_organization('grand')$$, 'stan', 'not_in_organization', null),
  ($$locate_room(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$mark_delivered(tests.room_id('lounge'), 1)$$, 'ana ben', 'not_a_member', null),
  ($$mark_message_read(pg_temp.message('lounge'))$$, 'ben', 'not_a_member', '{"ana": "own_message"}'),
  ($$mark_messages_seen(tests.room_id('lounge'), array[pg_temp.message('lounge')])$$, 'ana ben', 'not_a_member', null),
  ($$mark_offline()$$, 'everybody', null, null),
  ($$mark_read(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$mark_rooms_read(array[tests.room_id('lounge'), tests.room_id('suite'), tests.room_id('past')])$$, 'everybody', null, null),
  ($$mark_unread(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$message_receipts(pg_temp.message('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$message_page(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$message_page(tests.room_id('past'))$$, 'stan', 'not_a_member', null),
  ($$mute_chat(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$online_users()$$, 'everybody', null, null),
  ($$read_by_others(array[tests.room_id('lounge')])$$, 'everybody', null, null),
  ($$read_messages(array[pg_temp.message('lounge')])$$, 'everybody', null, null),
  ($$register_device('token', 'ios')$$, 'everybody', null, null),
  ($$remove_organization_member(pg_temp.organization(), tests.user_id('stan'))$$, '', 'not_in_organization', '{"stan": "last_admin"}'),
  ($$remove_reaction(pg_temp.message('lounge'), '👍')$$, 'ana ben', 'not_a_member', null),
  ($$remove_room_member(tests.room_id('lounge'), tests.user_id('ana'))$$, 'ana', 'not_a_member', '{"ben": "not_an_admin"}'),
  ($$renew_guest_code(pg_temp.stay('suite'))$$, 'stan', 'not_in_organization', null),
  ($$report_message(pg_temp.message('lounge'), 'so')$$, 'ana ben', 'not_a_member', null),
  ($$revoke_encryption_key('K1', 'phone')$$, 'ana', 'key_not_found', null),
  ($$room_attachments(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$room_attachments(tests.room_id('past'))$$, 'stan', 'not_a_member', null),
  ($$room_attachments(tests.room_id('suite'))$$, 'gina stan', 'not_a_member', null),
  ($$room_permissions(tests.room_id('lounge'))$$, 'everybody', null, null),
  ($$search_messages('secret')$$, 'everybody', null, null),
  ($$search_messages('secret', tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$search_messages('secret', p_organization_id => pg_temp.organization())$$, 'stan', 'not_in_organization', null),
  ($$search_users('eve')$$, 'everybody', null, '{"gina": "anonymous_not_allowed", "greta": "anonymous_not_allowed", "nora": "anonymous_not_allowed"}'),
  ($$send_message(tests.room_id('lounge'), 'hello')$$, 'ana ben', 'not_a_member', null),
  ($$send_message(tests.room_id('past'), 'hello')$$, '', 'not_a_member', '{"stan": "stay_over"}'),
  ($$set_member_role(tests.room_id('lounge'), tests.user_id('ben'), 'owner')$$, 'ana', 'not_a_member', '{"ben": "not_an_admin"}'),
  ($$set_organization_role(pg_temp.organization(), tests.user_id('stan'), 'admin')$$, 'stan', 'not_in_organization', null),
  ($$staff_rooms(pg_temp.organization())$$, 'stan', 'not_in_organization', null),
  ($$start_direct_chat(tests.user_id('eve'))$$, 'everybody', null, '{"eve": "chat_with_oneself", "gina": "anonymous_not_allowed", "greta": "anonymous_not_allowed", "nora": "anonymous_not_allowed"}'),
  ($$start_direct_chat(tests.user_id('stan'), pg_temp.organization())$$, '', 'not_in_organization', '{"stan": "chat_with_oneself", "gina": "anonymous_not_allowed", "greta": "anonymous_not_allowed", "nora": "anonymous_not_allowed"}'),
  ($$sync_messages()$$, 'everybody', null, null),
  ($$sync_messages(jsonb_build_object(tests.room_id('lounge'), 0, tests.room_id('suite'), 0, tests.room_id('past'), 0))$$, 'everybody', null, null),
  ($$toggle_reaction(pg_temp.message('lounge'), '👍')$$, 'ana ben', 'not_a_member', null),
  ($$track_download(pg_temp.message('lounge'), array[pg_temp.file()])$$, 'ana ben', 'not_a_member', null),
  ($$unblock_user(tests.user_id('bob'))$$, 'everybody', null, null),
  ($$undo_delete_message(pg_temp.message('lounge', 1))$$, '', 'not_a_member', '{"ana": "message_not_deleted", "ben": "message_not_deleted"}'),
  ($$unread_counts()$$, 'everybody', null, null),
  ($$unread_counts(tests.room_id('lounge'))$$, 'ana ben', 'not_a_member', null),
  ($$unread_counts(p_organization_id => pg_temp.organization())$$, 'stan', 'not_in_organization', null),
  ($$unregister_device('token')$$, 'everybody', null, null),
  ($$upload_encryption_key('no key', 'phone', 'K2')$$, '', 'not_a_public_key', null),
  ($$verify_encryption_key(tests.user_id('ana'), 'K1', upper(encode(sha256('K1'), 'hex')))$$, 'ana ben bob', 'not_a_room_mate', null);

-- What somebody is answered, or refused with. Whatever it did is undone.
create function pg_temp.ask(p_who text, p_call text, out answer text, out refusal text) language plpgsql as $$
declare
  state text;
begin
  perform pg_temp.present(p_who);
  execute 'select public.' || p_call into answer;
  -- The code that counts wrong tries answers its refusal.
  refusal := substring(answer from '"details": "([a-z_]+)"');
  raise exception using errcode = 'XX999';
exception
  when others then
    get stacked diagnostics state = returned_sqlstate;
    if state <> 'XX999' then
      get stacked diagnostics refusal = pg_exception_detail;
      refusal := coalesce(nullif(refusal, ''), state);
    end if;
end;
$$;

create temporary table answers as
select
  call,
  who,
  given.*,
  case
    when who = 'none' then '42501'
    when but ? who then but ->> who
    when may <> 'everybody' and who <> all (string_to_array(may, ' ')) then calls.refusal
  end as wanted
from calls, people, pg_temp.ask(who, call) as given;

select bag_eq(
  $$ select distinct proname::text from pg_proc
     where pronamespace = 'public'::regnamespace and has_function_privilege('authenticated', oid, 'execute') $$,
  $$ select distinct substring(call from '^\w+') from calls $$,
  'every function is in the list, but for those of the service role alone'
);
select is_empty(
  $$ select call, who, 'is refused with', refusal, 'and not with', wanted from answers where refusal is distinct from wanted $$,
  'functions: who may call which, and what the others are refused with'
);
select is_empty(
  $$ select call, who, answer
     from answers
     where
       answer ~ 'secret of (gina|greta)|suite|past' and who not in ('gina', 'stan')
       or answer ~ 'secret of (@ben|carl)|lounge' and who not in ('ana', 'ben') $$,
  'and no answer holds anything of a room that one is not in'
);

select * from finish();
rollback;
