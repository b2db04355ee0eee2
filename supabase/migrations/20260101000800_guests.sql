-- Guests: who stays in a hotel room and writes to the hotel, from check-in to check-out.
--
-- A stay has a room of its own: the next guest of the same hotel room sees nothing of the last one. The guest comes in with
-- a code, as a member whose time ends with the stay; the hotel's staff are there by their role. The row of `chat_rooms` is
-- the lock of a stay too: whoever joins, renews, or checks out holds it.

-- Tables
create table public.guest_stays (
  id uuid primary key default private.uuid_v7(),
  organization_id uuid not null references public.organizations (id) on delete cascade,
  room_id uuid not null references public.chat_rooms (id) on delete cascade,
  room_number text not null,
  guest_name text not null,
  code_hash text not null,
  -- Apart from the guest: when that account ends, its code is still a used one.
  code_used_at timestamptz,
  guest_user_id uuid references public.profiles (id) on delete set null,
  expires_at timestamptz,
  checked_out_at timestamptz,
  created_by uuid references public.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  constraint guest_stays_one_per_chat unique (room_id),
  constraint room_number_is_1_to_20_chars check (char_length(room_number) between 1 and 20),
  constraint guest_name_is_1_to_200_chars check (char_length(guest_name) between 1 and 200)
);

create table private.wrong_guest_codes (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  -- A digest: also of hotels and rooms that do not exist, so that nobody learns by trying which do.
  door uuid not null,
  tried_at timestamptz not null default clock_timestamp()
);

insert into private.limits (name, value, unit)
values
  ('wrong_codes_per_caller', 5, 'wrong guest codes in 15 minutes'),
  ('wrong_codes_per_hotel_room', 30, 'wrong guest codes in 15 minutes');

-- Indexes
-- Also what lets one of two receptionists check in.
create unique index guest_stays_one_open_per_hotel_room on public.guest_stays (organization_id, lower(room_number))
where checked_out_at is null;
create index guest_stays_list_idx on public.guest_stays (organization_id, id);
create index guest_stays_open_idx on public.guest_stays (organization_id, id) where checked_out_at is null;
create index guest_stays_expiry_idx on public.guest_stays (expires_at) where checked_out_at is null;
create index guest_stays_guest_idx on public.guest_stays (guest_user_id);
create index guest_stays_created_by_idx on public.guest_stays (created_by);
create index wrong_guest_codes_user_idx on private.wrong_guest_codes (user_id, tried_at);
create index wrong_guest_codes_door_idx on private.wrong_guest_codes (door, tried_at);
create index wrong_guest_codes_time_idx on private.wrong_guest_codes (tried_at);

-- Functions
-- Ten characters of base32 (RFC 4648), 50 bits.
create function private.new_guest_code()
returns text
language plpgsql volatile set search_path = ''
as $$
declare
  random_bytes bytea := extensions.gen_random_bytes(10);
begin
  return (
    select string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 1 + (get_byte(random_bytes, n) & 31), 1), '')
    from generate_series(0, 9) as n
  );
end;
$$;

create function private.hash_guest_code(p_code text)
returns text
language plpgsql volatile set search_path = ''
as $$
begin
  return extensions.crypt(p_code, extensions.gen_salt('bf', 10));
end;
$$;

-- As people type it: in small letters, in groups, with digits for the letters that look like them.
create function private.is_guest_code(p_code text, p_hash text)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  -- Where there is no stay something is hashed too, so that the time tells nothing.
  return extensions.crypt(
    translate(upper(left(coalesce(p_code, ''), 40)), '018- ', 'OIB'),
    coalesce(p_hash, '$2a$10$wLCrAP2EmHK0qgjUBcIu6.nU8RldlrBrvlptaQDW65WMlRFlskny6')
  ) = p_hash;
end;
$$;

-- Refuses without an error, which would undo what was counted: the status of the answer, and the body that PostgREST gives
-- an error.
create function private.answer_refusal(p_code text)
returns jsonb
language plpgsql volatile security definer set search_path = ''
as $$
declare
  refusal private.error_codes;
begin
  select * into strict refusal from private.error_codes where code = p_code;
  perform set_config('response.status', substr(refusal.sqlstate, 3), true);
  return jsonb_build_object(
    'code', refusal.sqlstate, 'message', refusal.message, 'details', refusal.code, 'hint', null
  );
end;
$$;

-- The stay, for the staff of its hotel. Its room is locked with it.
create function private.lock_stay(p_stay_id uuid)
returns public.guest_stays
language plpgsql security definer set search_path = ''
as $$
declare
  stay public.guest_stays;
begin
  select * into stay from public.guest_stays where id = p_stay_id;
  if stay.id is null then
    perform private.refuse('stay_not_found');
  end if;
  perform private.require_organization_role(stay.organization_id);

  perform from public.chat_rooms where id = stay.room_id for no key update;
  select * into stay from public.guest_stays where id = p_stay_id;
  return stay;
end;
$$;

create function private.is_open_stay(p_stay public.guest_stays)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return p_stay.checked_out_at is null and (p_stay.expires_at is null or p_stay.expires_at > now());
end;
$$;

-- The conversation is kept for the hotel. Its topic moves as the guest's membership goes.
create function private.close_stay(p_stay public.guest_stays)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  left_at timestamptz := clock_timestamp();
begin
  perform from public.chat_rooms where id = p_stay.room_id for no key update;
  update public.guest_stays set checked_out_at = left_at where id = p_stay.id and checked_out_at is null;
  if found then
    delete from public.chat_room_members where room_id = p_stay.room_id;
    update public.chat_rooms set closed_at = left_at, updated_at = left_at where id = p_stay.room_id;
  end if;
end;
$$;

-- Runs every minute. Access has ended by itself: this ends what hangs on it, the channels that are still open.
create function private.close_expired_stays()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.close_stay(s)
  from (
    select s
    from public.guest_stays as s
    where checked_out_at is null and expires_at <= now()
    order by room_id
    limit 1000
  ) as expired (s);
  delete from private.wrong_guest_codes where tried_at < now() - interval '15 minutes';
end;
$$;

create function private.check_in_guest(
  p_organization_id uuid, p_room_number text, p_guest_name text, p_expires_at timestamptz
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  number text := trim(p_room_number);
  name text := trim(p_guest_name);
  new_code text := private.new_guest_code();
  new_room_id uuid;
  new_stay_id uuid;
begin
  perform private.require_organization_role(p_organization_id);
  if char_length(number) between 1 and 20 is not true then
    perform private.refuse('room_number_invalid');
  elsif char_length(name) between 1 and 200 is not true then
    perform private.refuse('guest_name_invalid');
  elsif p_expires_at <= now() then
    perform private.refuse('expiry_in_the_past');
  end if;

  -- Whose time is over has left, whether or not the minute's job has been here.
  perform private.close_stay(s)
  from public.guest_stays as s
  where organization_id = p_organization_id
    and lower(room_number) = lower(number)
    and checked_out_at is null
    and expires_at <= now();

  insert into public.chat_rooms (type, organization_id, room_number, title, created_by)
  values ('guest', p_organization_id, number, name, me)
  returning id into new_room_id;
  insert into public.guest_stays (organization_id, room_id, room_number, guest_name, code_hash, expires_at, created_by)
  values (p_organization_id, new_room_id, number, name, private.hash_guest_code(new_code), p_expires_at, me)
  on conflict (organization_id, lower(room_number)) where checked_out_at is null do nothing
  returning id into new_stay_id;
  if new_stay_id is null then
    perform private.refuse('room_occupied');
  end if;
  perform private.tell_created(new_room_id);
  return jsonb_build_object('stay_id', new_stay_id, 'code', new_code, 'room_id', new_room_id);
end;
$$;

-- Refuses somebody, or a door, of whom there were too many wrong codes. Tries of the same wait for each other: else a
-- thousand at once would each find nothing counted.
create function private.require_few_wrong_codes(p_user_id uuid, p_door uuid)
returns void
language plpgsql volatile security definer set search_path = ''
as $$
declare
  window_start timestamptz;
  until timestamptz;
begin
  perform pg_advisory_xact_lock(hashtextextended('guest code by ' || p_user_id::text, 0));
  perform pg_advisory_xact_lock(hashtextextended('guest code for ' || p_door::text, 0));
  window_start := clock_timestamp() - interval '15 minutes';

  -- The last one that the limit allows: once it is 15 minutes old, there may be another.
  select greatest(
    (
      select tried_at
      from private.wrong_guest_codes
      where user_id = p_user_id and tried_at > window_start
      order by tried_at desc
      offset private.limit_of('wrong_codes_per_caller') - 1
      limit 1
    ),
    (
      select tried_at
      from private.wrong_guest_codes
      where door = p_door and tried_at > window_start
      order by tried_at desc
      offset private.limit_of('wrong_codes_per_hotel_room') - 1
      limit 1
    )
  ) + interval '15 minutes' into until;
  if until is not null then
    perform private.refuse_for(
      'too_many_requests', greatest(1, ceil(extract(epoch from until - clock_timestamp())))::int
    );
  end if;
end;
$$;

-- The open stay behind a door, if that is its code and it is not somebody else's by now; else null, for whatever reason.
create function private.find_stay(p_hotel_slug text, p_room_number text, p_code text)
returns public.guest_stays
language plpgsql stable security definer set search_path = ''
as $$
declare
  stay public.guest_stays;
begin
  select s.* into stay
  from public.organizations as o
  join public.guest_stays as s on s.organization_id = o.id
  where o.slug = p_hotel_slug
    and lower(s.room_number) = lower(trim(p_room_number))
    and s.checked_out_at is null;

  if private.is_guest_code(p_code, stay.code_hash)
    and private.is_open_stay(stay)
    and (stay.code_used_at is null or stay.guest_user_id = private.my_id())
  then
    return stay;
  end if;
  return null;
end;
$$;

create function private.join_as_guest(p_hotel_slug text, p_room_number text, p_code text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  door uuid := md5(concat_ws('/', p_hotel_slug, lower(trim(p_room_number))));
  stay public.guest_stays;
  joined public.chat_room_members;
begin
  perform from public.profiles where id = me for key share;
  perform private.require_few_wrong_codes(me, door);

  -- Looked for again under the lock: meanwhile the guest may have left, or the code be a new one.
  stay := private.find_stay(p_hotel_slug, p_room_number, p_code);
  if stay.id is not null then
    perform from public.chat_rooms where id = stay.room_id for no key update;
    select * into stay
    from public.guest_stays
    where id = stay.id
      and code_hash = stay.code_hash
      and private.is_open_stay(guest_stays)
      and (code_used_at is null or guest_user_id = me);
  end if;
  if stay.id is null then
    insert into private.wrong_guest_codes (user_id, door) values (me, door);
    return private.answer_refusal('wrong_code');
  end if;

  update public.guest_stays set code_used_at = now(), guest_user_id = me where id = stay.id and code_used_at is null;
  -- Staff should see who writes, not that it is an account without a name.
  update public.profiles
  set first_name = left(stay.guest_name, 100)
  where id = me and first_name = '' and last_name = '' and email is null;
  insert into public.chat_room_members (room_id, user_id, expires_at)
  values (stay.room_id, me, stay.expires_at)
  on conflict (room_id, user_id) do nothing
  returning * into joined;
  if found then
    perform private.tell_member('member-joined', joined);
  end if;
  return private.room_json(stay.room_id);
end;
$$;

create function private.renew_guest_code(p_stay_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  stay public.guest_stays := private.lock_stay(p_stay_id);
  new_code text := private.new_guest_code();
begin
  if not private.is_open_stay(stay) then
    perform private.refuse('stay_over');
  end if;
  update public.guest_stays
  set code_hash = private.hash_guest_code(new_code), code_used_at = null, guest_user_id = null
  where id = stay.id;
  delete from public.chat_room_members where room_id = stay.room_id;
  return jsonb_build_object('code', new_code);
end;
$$;

create function private.check_out_guest(p_stay_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.close_stay(private.lock_stay(p_stay_id));
end;
$$;

create function private.list_guest_stays(p_organization_id uuid, p_open boolean, p_limit int, p_before_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  page public.guest_stays[];
begin
  perform private.require_organization_role(p_organization_id);
  if p_limit is null or p_limit not between 1 and 100 then
    perform private.refuse('limit_out_of_range');
  end if;

  -- A query for each: few stays are open, and an index holds them.
  if p_open then
    page := array(
      select s
      from public.guest_stays as s
      where organization_id = p_organization_id
        and checked_out_at is null
        and (expires_at is null or expires_at > now())
        and (p_before_id is null or id < p_before_id)
      order by id desc
      limit p_limit
    );
  else
    page := array(
      select s
      from public.guest_stays as s
      where organization_id = p_organization_id
        and (p_open is null or checked_out_at is not null or expires_at <= now())
        and (p_before_id is null or id < p_before_id)
      order by id desc
      limit p_limit
    );
  end if;

  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'id', s.id,
          'room_id', s.room_id,
          'room_number', s.room_number,
          'guest_name', s.guest_name,
          'guest', private.user_json(s.guest_user_id),
          'is_open', private.is_open_stay(s),
          'expires_at', s.expires_at,
          'checked_out_at', s.checked_out_at,
          'created_by', s.created_by,
          'created_at', s.created_at
        )
      ),
      '[]'
    )
    from unnest(page) as s
  );
end;
$$;

create function public.check_in_guest(
  p_organization_id uuid, p_room_number text, p_guest_name text, p_expires_at timestamptz default null
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.check_in_guest(p_organization_id, p_room_number, p_guest_name, p_expires_at);
end;
$$;

create function public.join_as_guest(p_hotel_slug text, p_room_number text, p_code text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.join_as_guest(p_hotel_slug, p_room_number, p_code);
end;
$$;

create function public.renew_guest_code(p_stay_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.renew_guest_code(p_stay_id);
end;
$$;

create function public.check_out_guest(p_stay_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.check_out_guest(p_stay_id);
end;
$$;

create function public.list_guest_stays(
  p_organization_id uuid, p_open boolean default true, p_limit int default 50, p_before_id uuid default null
)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.list_guest_stays(p_organization_id, p_open, p_limit, p_before_id);
end;
$$;

-- Jobs
select cron.schedule('close_expired_stays', '* * * * *', 'select private.close_expired_stays()');

-- Policies
alter table public.guest_stays enable row level security;
alter table private.wrong_guest_codes enable row level security;

create policy "Staff see the stays of their hotel"
on public.guest_stays for select to authenticated
using (organization_id = any ((select private.my_organization_ids())::uuid[]));

create policy "Nobody reads who tried which door"
on private.wrong_guest_codes for select to authenticated
using (false);

-- Grants
revoke all on public.guest_stays from anon, authenticated;
-- Not the hash of the code: nobody reads that.
grant select (
  id, organization_id, room_id, room_number, guest_name, guest_user_id, expires_at, checked_out_at, created_by, created_at
)
on public.guest_stays to authenticated;
grant execute on function private.check_in_guest(uuid, text, text, timestamptz) to authenticated;
grant execute on function private.join_as_guest(text, text, text) to authenticated;
grant execute on function private.renew_guest_code(uuid) to authenticated;
grant execute on function private.check_out_guest(uuid) to authenticated;
grant execute on function private.list_guest_stays(uuid, boolean, int, uuid) to authenticated;
grant execute on function public.check_in_guest(uuid, text, text, timestamptz) to authenticated;
grant execute on function public.join_as_guest(text, text, text) to authenticated;
grant execute on function public.renew_guest_code(uuid) to authenticated;
grant execute on function public.check_out_guest(uuid) to authenticated;
grant execute on function public.list_guest_stays(uuid, boolean, int, uuid) to authenticated;

-- Comments
comment on table public.guest_stays is 'Who stays in which hotel room, and in which chat. Kept after check-out.';
comment on column public.guest_stays.code_hash is 'The code itself is told once, at check-in or renewal.';
comment on column public.guest_stays.guest_user_id is 'Whoever used the code first.';
comment on column public.guest_stays.expires_at is 'When access ends by itself. Null: at check-out alone.';
comment on function public.check_in_guest(uuid, text, text, timestamptz) is
'Staff check a guest in and get the code for `join_as_guest`, once. Answers {stay_id, code, room_id}. Refusals: not_signed_in, organization_not_found, not_in_organization, room_number_invalid, guest_name_invalid, expiry_in_the_past, room_occupied.';
comment on function public.join_as_guest(text, text, text) is
'Lets whoever first has the code into the chat of that stay; again, it answers the same. Answers a room. Refusals: not_signed_in, wrong_code (answered, not raised, so that it counts), too_many_requests with the seconds to wait as hint.';
comment on function public.renew_guest_code(uuid) is
'A new code for a stay; whoever used the last one is out. Answers {code}. Refusals: not_signed_in, stay_not_found, not_in_organization, stay_over.';
comment on function public.check_out_guest(uuid) is
'Ends a stay: the guest is out, the chat is kept for the hotel. Again, it changes nothing. Refusals: not_signed_in, stay_not_found, not_in_organization.';
comment on function public.list_guest_stays(uuid, boolean, int, uuid) is
'The stays of a hotel for its staff, newest first, 1 to 100 a page: the open ones, with p_open false the past ones, with null both. The next page is p_before_id the last one''s id. Refusals: not_signed_in, organization_not_found, not_in_organization, limit_out_of_range.';
