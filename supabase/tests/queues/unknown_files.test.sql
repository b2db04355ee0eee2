-- Which files at Cloudinary are nobody's.
begin;
select plan(12);

select tests.create_user('ana');
insert into public.media_assets (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes)
values
('cloudinary', 'pending', 'raw', 'a', 'text/plain', 1),
('cloudinary', 'doomed', 'raw', 'a', 'text/plain', 1),
('cloudinary', 'gone', 'raw', 'a', 'text/plain', 1),
('supabase', 'elsewhere', 'raw', 'a', 'text/plain', 1);
update public.media_assets set state = 'delete_requested' where public_id in ('doomed', 'gone');
update public.media_assets set state = 'gone' where public_id = 'gone';

select is(public.unknown_files(array['pending', 'doomed'], 'raw'), '{}', 'a file with a row is known, also one that is to go');
select is(
  public.unknown_files(array['stray', 'gone', 'elsewhere', 'pending'], 'raw'), array['elsewhere', 'gone', 'stray'],
  'one without a row is not, nor one that should be gone, nor one that lies in Storage'
);
select is(
  public.unknown_files(array['pending'], 'video'), array['pending'], 'a film is not known because a document has its name'
);

-- What lies under a name of ours, and is none of our files, is to go
delete from pgmq.q_media_cleanup;
select is(
  public.give_up_strays(array['stray', 'gone', 'elsewhere', 'pending', 'doomed'], 'raw'), 1::bigint,
  'of what has come again it is given up'
);
select is(public.give_up_strays(array['stray', 'pending', 'doomed'], 'video'), 2::bigint, 'and of what lies beside a file');
select is(public.give_up_strays(array['stray', 'pending', 'doomed'], 'video'), 0::bigint, 'once');
select results_eq(
  $$ select public_id, resource_type, state::text, owner_id from public.media_assets where provider = 'cloudinary' order by 1, 2 $$,
  $$ values
       ('doomed', 'raw', 'delete_requested', null::uuid),
       ('doomed', 'video', 'delete_requested', null),
       ('gone', 'raw', 'delete_requested', null),
       ('pending', 'raw', 'pending', null),
       ('pending', 'video', 'delete_requested', null) $$,
  'the files stay as they are, and what nobody names is left alone'
);
select results_eq(
  $$ select message ->> 'public_id', message ->> 'resource_type' from pgmq.q_media_cleanup order by 1 $$,
  $$ values ('doomed', 'video'), ('gone', 'raw'), ('pending', 'video') $$,
  'each is destroyed as what it is'
);

-- Every night
select private.compare_files();
select private.compare_files();
select results_eq(
  $$ select message from pgmq.q_media_cleanup where message ? 'compare' $$, array['{"compare": "image:"}'::jsonb],
  'all that Cloudinary has is compared, by one'
);

select tests.sign_in('ana');
select throws_ok($$ select public.unknown_files('{}', 'raw') $$, '42501', null, 'members may not ask');
select throws_ok($$ select public.give_up_strays('{}', 'raw') $$, '42501', null, 'nor give up');
set local role service_role;
select is(public.unknown_files('{}', 'raw'), '{}', 'the service may');

select * from finish();
rollback;
