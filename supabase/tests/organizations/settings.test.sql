begin;
select plan(14);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
insert into public.organizations (slug, name) values ('grand', 'Grand'), ('other', 'Other');
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(m.name), m.role::public.organization_role
from (values ('grand', 'ana', 'admin'), ('grand', 'ben', 'manager'), ('other', 'eve', 'admin')) as m (slug, name, role)
join public.organizations as o using (slug);

select tests.sign_in('ana');
select results_eq(
  $$ update public.organizations
     set name = 'Grander', guest_delete_window = '10 minutes', undo_window = '1 minute', max_attachments = 0,
       max_attachment_bytes = 1000, wipe_messages_of_deleted_accounts = true
     returning slug, guest_delete_window $$,
  $$ values ('grand', interval '10 minutes') $$,
  'an admin changes the settings of her hotel, and of no other'
);
select tests.refuses('update public.organizations set ' || change, 'setting_out_of_range', change || ' is too much')
from unnest(array[
  $$ guest_delete_window = '31 days' $$, $$ guest_delete_window = '-1 second' $$, $$ undo_window = '2 days' $$,
  'undo_window = null', 'max_attachments = 11', 'max_attachments = -1', 'max_attachment_bytes = 52428801',
  'max_attachment_bytes = 0', 'wipe_messages_of_deleted_accounts = null'
]) as change;
select tests.refuses($$ update public.organizations set name = '' $$, 'organization_name_invalid', 'nor has it no name');
select throws_ok($$ update public.organizations set slug = 'new' $$, '42501', null, 'its slug stays: addresses hold it');

select tests.sign_in('ben');
select is_empty($$ update public.organizations set name = 'Mine' returning id $$, 'a manager changes nothing');
select tests.as_owner();
select set_eq('select name from public.organizations', array['Grander', 'Other'], 'only what the admin changed has changed');

select * from finish();
rollback;
