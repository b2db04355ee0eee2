begin;
select plan(16);

select tests.create_user('ana');
select tests.create_user('guest', p_is_anonymous => true);

select tests.sign_in('ana');
select results_eq(
  $$ select jsonb_object_keys(public.create_organization('Grand Hotel', 'grand-hotel')) order by 1 $$,
  array['id', 'name', 'slug'],
  'somebody makes a hotel'
);
select results_eq(
  $$ select o.slug, o.name, m.role::text, m.user_id
     from public.organizations as o join public.organization_members as m on m.organization_id = o.id $$,
  $$ values ('grand-hotel', 'Grand Hotel', 'admin', tests.user_id('ana')) $$,
  'and is its admin'
);
select results_eq(
  'select guest_delete_window, undo_window, max_attachments, max_attachment_bytes, wipe_messages_of_deleted_accounts from public.organizations',
  $$ values (interval '5 minutes', interval '30 seconds', 10::bigint, 52428800::bigint, false) $$,
  'its settings begin as the documents say'
);

select tests.refuses($$ select public.create_organization('Other', 'grand-hotel') $$, 'slug_taken', 'a slug is taken once');
select tests.refuses(format($$ select public.create_organization('Other', %L) $$, slug), 'slug_reserved', slug || ' is a word of our addresses')
from unnest(array['rooms', 'unread-count', 'encryption']) as slug;
select tests.refuses(format($$ select public.create_organization('Other', %L) $$, slug), 'slug_invalid', format('not a slug: %L', left(slug, 10)))
from unnest(array[null, '', 'Grand', 'a--b', 'a b', repeat('a', 61)]) as slug;
select tests.refuses(
  $$ select public.create_organization(repeat('x', 201), 'long') $$, 'organization_name_invalid', 'a name has an end'
);

select tests.sign_in('guest');
select tests.refuses(
  $$ select public.create_organization('Mine', 'mine') $$, 'anonymous_not_allowed', 'anonymous guests make none'
);
select tests.sign_out();
select throws_ok($$ select public.create_organization('Mine', 'mine') $$, '42501', null, 'nor does who is not signed in');

select * from finish();
rollback;
