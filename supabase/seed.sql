-- The demo hotel, its people, a group of theirs and a guest. The password of each is in the start banner, and here:
-- parley-demo
--
-- The guest of hotel room 101 has not come in yet. Any account may, also an anonymous one, and the first that does keeps
-- the place: join_as_guest('grand-hotel', '101', 'PARLEY2345')
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

insert into public.chat_rooms (id, type, organization_id, title, description, room_number, created_by)
values
  (
    '00000000-0000-4000-8000-0000000000c1',
    'group',
    '00000000-0000-4000-8000-0000000000f0',
    'Front desk',
    'What the next shift should know',
    null,
    '00000000-0000-4000-8000-00000000000a'
  ),
  (
    '00000000-0000-4000-8000-0000000000c2',
    'guest',
    '00000000-0000-4000-8000-0000000000f0',
    'Maria Lopez',
    null,
    '101',
    '00000000-0000-4000-8000-00000000000c'
  );

insert into public.chat_room_members (room_id, user_id, role)
values
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000a', 'owner'),
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000b', 'admin'),
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000c', 'member');

insert into public.guest_stays (organization_id, room_id, room_number, guest_name, code_hash, created_by)
values (
  '00000000-0000-4000-8000-0000000000f0',
  '00000000-0000-4000-8000-0000000000c2',
  '101',
  'Maria Lopez',
  private.hash_guest_code('PARLEY2345'),
  '00000000-0000-4000-8000-00000000000c'
);

insert into public.chat_messages (room_id, sender_id, content)
values
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000a', 'Good morning! The lift is repaired.'),
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000b', 'Thank you. Two arrivals before noon: 101 and 204.'),
  ('00000000-0000-4000-8000-0000000000c1', '00000000-0000-4000-8000-00000000000c', '101 is ready, 204 needs half an hour.');

-- One insert writes to one room.
insert into public.chat_messages (room_id, sender_id, content)
values
  (
    '00000000-0000-4000-8000-0000000000c2',
    '00000000-0000-4000-8000-00000000000c',
    'Welcome, Maria! Write here whenever you need something.'
  );
