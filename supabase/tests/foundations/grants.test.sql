-- Every right that clients have, in one list: a new table or function that says nothing gives nothing, and one that
-- gives something shows here.
begin;
select plan(5);

select results_eq(
  $$ select format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)) collate "default"
     from pg_proc as p join pg_namespace as n on n.oid = pronamespace
     where nspname in ('public', 'private') and has_function_privilege('anon', p.oid, 'execute') $$,
  array[]::text[],
  'nobody signed in executes no function'
);

select results_eq(
  $$ select format('%I.%I', nspname, proname) collate "default"
     from pg_proc as p join pg_namespace as n on n.oid = pronamespace
     where nspname in ('public', 'private') and has_function_privilege('authenticated', p.oid, 'execute')
     order by 1 $$,
  array[
    'private.get_messages',
    'private.is_my_room_topic',
    'private.my_contact_ids',
    'private.my_message_json',
    'private.my_organization_ids',
    'private.my_room_ids',
    'private.refuse',
    'private.room_json',
    'private.start_direct_chat',
    'private.uuid_v7',
    'public.calculate_unread_count',
    'public.get_messages',
    'public.send_message',
    'public.start_direct_chat'
  ],
  'the functions of somebody signed in'
);

select results_eq(
  $$ select format('%I.%I', nspname, proname) collate "default"
     from pg_proc as p join pg_namespace as n on n.oid = pronamespace
     where nspname in ('public', 'private') and prosecdef
     order by 1 $$,
  array[
    'private.announce_message',
    'private.check_message',
    'private.create_profile',
    'private.follow_email',
    'private.get_messages',
    'private.is_my_room_topic',
    'private.is_room_member',
    'private.leave_topics',
    'private.may_see_email',
    'private.message_json',
    'private.my_contact_ids',
    'private.my_message_json',
    'private.my_organization_ids',
    'private.my_room_ids',
    'private.number_message',
    'private.refuse',
    'private.require_room_member',
    'private.room_json',
    'private.start_direct_chat',
    'private.start_preferences',
    'private.user_json'
  ],
  'the functions with definer rights, all of them private'
);

select results_eq(
  $$ select format('%s.%s %s', grantee, table_name, string_agg(distinct privilege_type, ' ' order by privilege_type)) collate "default"
     from information_schema.column_privileges
     where table_schema in ('public', 'private') and grantee in ('anon', 'authenticated')
     group by grantee, table_name
     order by 1 $$,
  array[
    'authenticated.chat_messages INSERT SELECT',
    'authenticated.chat_room_members SELECT',
    'authenticated.chat_rooms SELECT',
    'authenticated.organization_members SELECT',
    'authenticated.organizations SELECT',
    'authenticated.profiles SELECT UPDATE',
    'authenticated.user_chat_preferences SELECT'
  ],
  'the tables of somebody signed in; nobody signed in has none'
);

select is_empty(
  $$ select oid::regclass from pg_class
     where relnamespace in ('public'::regnamespace, 'private'::regnamespace) and relkind in ('r', 'p') and not relrowsecurity $$,
  'row level security is on for every table'
);

select * from finish();
rollback;
