-- Every right that clients have, in lists: what is new and says nothing gives nothing, and what gives something shows
-- here. A right given to everybody counts, also one by default.
begin;
select plan(7);

create function pg_temp.rights(p_acl aclitem[])
returns table (who text, rights text)
language sql
as $$
  select who, string_agg(distinct privilege_type, ' ' order by privilege_type)
  from unnest(array['anon', 'authenticated']) as who, aclexplode(p_acl)
  where case when grantee = 0 then true else pg_has_role(who, grantee, 'usage') end
  group by who
$$;

select results_eq(
  $$ select concat_ws(' ', who, nspname, rights) collate "default"
     from pg_namespace, pg_temp.rights(coalesce(nspacl, acldefault('n', nspowner)))
     where nspname in ('public', 'private', 'cron', 'net', 'pgmq')
     order by 1 $$,
  array[
    'anon net USAGE',
    'anon public USAGE',
    'authenticated net USAGE',
    'authenticated private USAGE',
    'authenticated public USAGE'
  ],
  'schemas: nobody makes anything in them, cron and pgmq are closed, and private to who is not signed in; net is hosted''s'
);

select results_eq(
  $$ select concat_ws(' ', who, oid::regclass, rights) collate "default"
     from pg_class, pg_temp.rights(coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)))
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind not in ('i', 'I', 'c')
     order by 1 $$,
  array[
    'authenticated chat_messages SELECT',
    'authenticated chat_room_members SELECT',
    'authenticated chat_rooms SELECT',
    'authenticated organization_members SELECT',
    'authenticated organizations SELECT',
    'authenticated user_blocks DELETE SELECT',
    'authenticated user_chat_preferences SELECT'
  ],
  'tables, views and sequences as a whole'
);

select results_eq(
  $$ select concat_ws(' ', who, attrelid::regclass, attname, rights) collate "default"
     from pg_attribute join pg_class as c on c.oid = attrelid, pg_temp.rights(attacl)
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace)
     order by 1 $$,
  array[
    'authenticated chat_messages client_id INSERT',
    'authenticated chat_messages content INSERT',
    'authenticated chat_messages encrypted_content INSERT',
    'authenticated chat_messages encryption_key_id INSERT',
    'authenticated chat_messages message_type INSERT',
    'authenticated chat_messages metadata INSERT',
    'authenticated chat_messages reply_to_id INSERT',
    'authenticated chat_messages room_id INSERT',
    'authenticated organizations guest_delete_window UPDATE',
    'authenticated organizations max_attachment_bytes UPDATE',
    'authenticated organizations max_attachments UPDATE',
    'authenticated organizations name UPDATE',
    'authenticated organizations undo_window UPDATE',
    'authenticated organizations wipe_messages_of_deleted_accounts UPDATE',
    'authenticated profiles avatar_url SELECT UPDATE',
    'authenticated profiles created_at SELECT',
    'authenticated profiles first_name SELECT UPDATE',
    'authenticated profiles id SELECT',
    'authenticated profiles last_name SELECT UPDATE',
    'authenticated profiles username SELECT UPDATE',
    'authenticated user_blocks blocked_id INSERT',
    'authenticated user_presence last_activity SELECT',
    'authenticated user_presence online_until SELECT',
    'authenticated user_presence status SELECT',
    'authenticated user_presence user_id SELECT'
  ],
  'columns'
);

select results_eq(
  $$ select concat_ws(' ', who, format('%I.%I', nspname, proname)) collate "default"
     from pg_proc join pg_namespace as n on n.oid = pronamespace, pg_temp.rights(coalesce(proacl, acldefault('f', proowner)))
     where nspname in ('public', 'private')
     order by 1 $$,
  array[
    'authenticated private.add_organization_member',
    'authenticated private.confirmation',
    'authenticated private.create_organization',
    'authenticated private.delete_organization',
    'authenticated private.get_messages',
    'authenticated private.heartbeat',
    'authenticated private.is_my_room_topic',
    'authenticated private.mark_offline',
    'authenticated private.my_administered_ids',
    'authenticated private.my_contact_ids',
    'authenticated private.my_hidden_seqs',
    'authenticated private.my_id',
    'authenticated private.my_message_json',
    'authenticated private.my_organization_ids',
    'authenticated private.my_room_ids',
    'authenticated private.my_unblocked_contact_ids',
    'authenticated private.name_words',
    'authenticated private.online_users',
    'authenticated private.reach_of',
    'authenticated private.refuse',
    'authenticated private.remove_organization_member',
    'authenticated private.reserved_slugs',
    'authenticated private.room_json',
    'authenticated private.search_users',
    'authenticated private.set_organization_role',
    'authenticated private.start_direct_chat',
    'authenticated private.unread_count',
    'authenticated private.uuid_v7',
    'authenticated private.words_of',
    'authenticated public.add_organization_member',
    'authenticated public.block_user',
    'authenticated public.calculate_unread_count',
    'authenticated public.create_organization',
    'authenticated public.delete_organization',
    'authenticated public.get_messages',
    'authenticated public.heartbeat',
    'authenticated public.mark_offline',
    'authenticated public.online_users',
    'authenticated public.remove_organization_member',
    'authenticated public.search_users',
    'authenticated public.send_message',
    'authenticated public.set_organization_role',
    'authenticated public.start_direct_chat',
    'authenticated public.unblock_user'
  ],
  'functions'
);

select results_eq(
  $$ select format('%I.%I', nspname, proname) collate "default"
     from pg_proc as p join pg_namespace as n on n.oid = pronamespace
     where nspname in ('public', 'private') and prosecdef
     order by 1 $$,
  array[
    'private.add_organization_member',
    'private.announce_message',
    'private.announce_status',
    'private.are_blocked',
    'private.check_block',
    'private.check_message',
    'private.check_profile',
    'private.confirmation',
    'private.create_organization',
    'private.create_profile',
    'private.delete_organization',
    'private.first_cursor_seq',
    'private.follow_email',
    'private.get_messages',
    'private.heartbeat',
    'private.hidden_up_to_seq',
    'private.is_my_room_topic',
    'private.is_room_member',
    'private.leave_organization_rooms',
    'private.leave_topics',
    'private.limit_of',
    'private.lock_message',
    'private.lock_organization',
    'private.lock_rooms',
    'private.mark_offline',
    'private.may_see_email',
    'private.message_json',
    'private.messages_json',
    'private.move_topics',
    'private.my_administered_ids',
    'private.my_blocked_ids',
    'private.my_contact_ids',
    'private.my_hidden_seqs',
    'private.my_message_json',
    'private.my_organization_ids',
    'private.my_room_ids',
    'private.my_unblocked_contact_ids',
    'private.next_change_seq',
    'private.number_message',
    'private.online_users',
    'private.reach_of',
    'private.refuse',
    'private.refuse_for',
    'private.remove_organization_member',
    'private.require_another_admin',
    'private.require_message',
    'private.require_organization_role',
    'private.require_preferences',
    'private.require_room_member',
    'private.require_unblocked_room',
    'private.return_to_guests',
    'private.return_token',
    'private.room_audience',
    'private.room_json',
    'private.room_mate_ids',
    'private.search_users',
    'private.set_organization_role',
    'private.start_direct_chat',
    'private.start_preferences',
    'private.sum_uncounted',
    'private.take_token',
    'private.tell_room',
    'private.tell_user',
    'private.uncounted_after',
    'private.unread_count',
    'private.unread_counts',
    'private.user_json',
    'private.welcome_member'
  ],
  'the functions with definer rights, all of them private'
);

select is_empty(
  $$ select oid::regclass from pg_class
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p') and not relrowsecurity $$,
  'row level security is on for every table'
);

select is_empty(
  $$ select who, proname from pg_proc, pg_temp.rights(coalesce(proacl, acldefault('f', proowner)))
     where pronamespace = 'tests'::regnamespace and proname in ('create_user', 'create_room') $$,
  'the people and rooms of the tests, which stay in the database, are made by its owner alone'
);

select * from finish();
rollback;
