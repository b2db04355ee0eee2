-- The demo hotel and its people. The password of each is in the start banner, and here: parley-demo
--
-- For development only: `supabase db push` does not run it unless asked to.

create temporary table demo_people (id uuid, email text, username text, first_name text, last_name text, role text);

insert into demo_people
values
  ('00000000-0000-4000-8000-00000000000a', 'ana@grand-hotel.example', 'ana', 'Ana', 'Silva', 'admin'),
  ('00000000-0000-4000-8000-00000000000b', 'ben@grand-hotel.example', 'ben', 'Ben', 'Okafor', 'manager'),
  ('00000000-0000-4000-8000-00000000000c', 'chloe@grand-hotel.example', 'chloe', 'Chloé', 'Martin', 'staff'),
  ('00000000-0000-4000-8000-00000000000d', 'dan@example.com', 'dan', 'Dan', 'Novak', null);

-- The Auth service reads an account's unused tokens as texts: they must be empty, not null.
insert into auth.users (
  instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
  confirmation_token, recovery_token, email_change, email_change_token_new
)
select
  '00000000-0000-0000-0000-000000000000',
  id,
  'authenticated',
  'authenticated',
  email,
  extensions.crypt('parley-demo', extensions.gen_salt('bf')),
  now(),
  '{"provider": "email", "providers": ["email"]}',
  jsonb_build_object('username', username, 'first_name', first_name, 'last_name', last_name),
  '',
  '',
  '',
  ''
from demo_people;

insert into auth.identities (id, provider, provider_id, user_id, identity_data)
select
  gen_random_uuid(),
  'email',
  id::text,
  id,
  jsonb_build_object('sub', id, 'email', email, 'email_verified', true, 'phone_verified', false)
from demo_people;

insert into public.organizations (id, slug, name)
values ('00000000-0000-4000-8000-0000000000f0', 'grand-hotel', 'Grand Hotel');

insert into public.organization_members (organization_id, user_id, role)
select '00000000-0000-4000-8000-0000000000f0', id, role::public.organization_role
from demo_people
where role is not null;

drop table demo_people;
