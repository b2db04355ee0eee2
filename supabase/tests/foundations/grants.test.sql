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
    'authenticated message_audit SELECT',
    'authenticated notification_preferences DELETE INSERT SELECT UPDATE',
    'authenticated organization_members SELECT',
    'authenticated organizations SELECT',
    'authenticated user_blocks DELETE SELECT',
    'authenticated user_chat_preferences SELECT',
    'authenticated user_devices DELETE SELECT'
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
    'authenticated chat_messages content INSERT UPDATE',
    'authenticated chat_messages encrypted_content INSERT',
    'authenticated chat_messages encryption_key_id INSERT',
    'authenticated chat_messages message_type INSERT',
    'authenticated chat_messages metadata INSERT',
    'authenticated chat_messages reply_to_id INSERT',
    'authenticated chat_messages room_id INSERT',
    'authenticated guest_stays checked_out_at SELECT',
    'authenticated guest_stays created_at SELECT',
    'authenticated guest_stays created_by SELECT',
    'authenticated guest_stays expires_at SELECT',
    'authenticated guest_stays guest_name SELECT',
    'authenticated guest_stays guest_user_id SELECT',
    'authenticated guest_stays id SELECT',
    'authenticated guest_stays organization_id SELECT',
    'authenticated guest_stays room_id SELECT',
    'authenticated guest_stays room_number SELECT',
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
    'authenticated private.can_delete_message',
    'authenticated private.check_in_guest',
    'authenticated private.check_out_guest',
    'authenticated private.confirmation',
    'authenticated private.create_organization',
    'authenticated private.delete_messages',
    'authenticated private.delete_organization',
    'authenticated private.edit_message',
    'authenticated private.forward_message',
    'authenticated private.get_messages',
    'authenticated private.heartbeat',
    'authenticated private.is_my_room_topic',
    'authenticated private.join_as_guest',
    'authenticated private.list_guest_stays',
    'authenticated private.lock_for_edit',
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
    'authenticated private.register_device',
    'authenticated private.remove_organization_member',
    'authenticated private.renew_guest_code',
    'authenticated private.reserved_slugs',
    'authenticated private.room_json',
    'authenticated private.search_users',
    'authenticated private.set_organization_role',
    'authenticated private.start_direct_chat',
    'authenticated private.sync_messages',
    'authenticated private.undo_delete_message',
    'authenticated private.unread_count',
    'authenticated private.uuid_v7',
    'authenticated private.words_of',
    'authenticated public.add_organization_member',
    'authenticated public.block_user',
    'authenticated public.calculate_unread_count',
    'authenticated public.can_delete_message',
    'authenticated public.check_in_guest',
    'authenticated public.check_out_guest',
    'authenticated public.create_organization',
    'authenticated public.delete_message',
    'authenticated public.delete_messages',
    'authenticated public.delete_organization',
    'authenticated public.edit_message',
    'authenticated public.forward_message',
    'authenticated public.get_messages',
    'authenticated public.heartbeat',
    'authenticated public.join_as_guest',
    'authenticated public.list_guest_stays',
    'authenticated public.mark_offline',
    'authenticated public.online_users',
    'authenticated public.register_device',
    'authenticated public.remove_organization_member',
    'authenticated public.renew_guest_code',
    'authenticated public.search_users',
    'authenticated public.send_message',
    'authenticated public.set_organization_role',
    'authenticated public.start_direct_chat',
    'authenticated public.sync_messages',
    'authenticated public.unblock_user',
    'authenticated public.undo_delete_message',
    'authenticated public.unregister_device'
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
    'private.announce_edit',
    'private.announce_message',
    'private.announce_status',
    'private.answer_refusal',
    'private.are_blocked',
    'private.audit',
    'private.can_delete_message',
    'private.check_block',
    'private.check_edit',
    'private.check_in_guest',
    'private.check_message',
    'private.check_notification_preferences',
    'private.check_out_guest',
    'private.check_profile',
    'private.close_expired_stays',
    'private.close_stay',
    'private.confirmation',
    'private.create_organization',
    'private.create_profile',
    'private.delete_locked_message',
    'private.delete_messages',
    'private.delete_organization',
    'private.edit_message',
    'private.find_stay',
    'private.first_cursor_seq',
    'private.follow_email',
    'private.forward_message',
    'private.get_messages',
    'private.heartbeat',
    'private.hidden_up_to_seq',
    'private.is_my_room_topic',
    'private.is_room_member',
    'private.join_as_guest',
    'private.leave_organization_rooms',
    'private.leave_topics',
    'private.limit_of',
    'private.list_guest_stays',
    'private.lock_for_edit',
    'private.lock_message',
    'private.lock_organization',
    'private.lock_rooms',
    'private.lock_stay',
    'private.mark_offline',
    'private.may_see_email',
    'private.message_json',
    'private.messages_json',
    'private.move_last_message_back',
    'private.move_last_message_forth',
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
    'private.push_recipients',
    'private.reach_of',
    'private.refuse',
    'private.refuse_for',
    'private.register_device',
    'private.remove_organization_member',
    'private.renew_guest_code',
    'private.require_another_admin',
    'private.require_few_wrong_codes',
    'private.require_message',
    'private.require_organization_role',
    'private.require_preferences',
    'private.require_room_member',
    'private.require_unblocked_room',
    'private.return_to_guests',
    'private.return_token',
    'private.room_audience',
    'private.room_ids_of',
    'private.room_json',
    'private.room_mate_ids',
    'private.search_users',
    'private.set_organization_role',
    'private.start_direct_chat',
    'private.start_preferences',
    'private.sum_uncounted',
    'private.sync_messages',
    'private.take_token',
    'private.tell_room',
    'private.tell_user',
    'private.total_unread',
    'private.uncounted_after',
    'private.undo_delete_message',
    'private.undo_window',
    'private.unread_count',
    'private.unread_counts',
    'private.user_json',
    'private.verdict_delete',
    'private.welcome_member',
    'private.wipe_deleted_messages',
    'private.wipe_messages'
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
