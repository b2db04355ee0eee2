-- Which files at Cloudinary are nobody's.
begin;
select plan(4);

select tests.create_user('ana');
insert into public.media_assets (provider, public_id, resource_type, file_name, declared_mime_type, declared_size_bytes)
values
('cloudinary', 'pending', 'raw', 'a', 'text/plain', 1),
('cloudinary', 'doomed', 'raw', 'a', 'text/plain', 1),
('cloudinary', 'gone', 'raw', 'a', 'text/plain', 1),
('supabase', 'elsewhere', 'raw', 'a', 'text/plain', 1);
update public.media_assets set state = 'delete_requested' where public_id in ('doomed', 'gone');
update public.media_assets set state = 'gone' where public_id = 'gone';

select is(public.unknown_files(array['pending', 'doomed']), '{}', 'a file with a row is known, also one that is to go');
select is(
  public.unknown_files(array['stray', 'gone', 'elsewhere', 'pending']), array['elsewhere', 'gone', 'stray'],
  'one without a row is not, nor one that should be gone, nor one that lies in Storage'
);
select tests.sign_in('ana');
select throws_ok($$ select public.unknown_files('{}') $$, '42501', null, 'members may not ask');
set local role service_role;
select is(public.unknown_files('{}'), '{}', 'the service may');

select * from finish();
rollback;
