-- The room list: my chats, the newest first, and what I may do in each.

-- Functions
create function private.get_rooms(
  p_archived boolean, p_limit int, p_before timestamptz, p_before_id uuid, p_room_id uuid
)
returns json
language plpgsql stable security definer set search_path = ''
-- Planning this costs more than running it.
set plan_cache_mode = force_generic_plan
as $$
declare
  me uuid := private.require_me();
begin
  if p_limit is null or p_limit not between 1 and 500 then
    perform private.refuse('limit_out_of_range');
  -- Whoever names a room gets it, archived or hidden or closed.
  elsif p_room_id is not null then
    perform private.require_room_member(p_room_id);
    return private.rooms_json(array[p_room_id]);
  end if;

  return private.rooms_json(array(
    select r.id
    from unnest(private.my_room_ids()) as my (room_id)
    join public.chat_rooms as r on r.id = my.room_id
    left join public.user_chat_preferences as mine on mine.user_id = me and mine.room_id = r.id
    where (p_archived is null or coalesce(mine.is_archived, false) = p_archived)
      -- A chat that I deleted is there again once somebody writes in it.
      and (mine.is_deleted is not true or r.last_seq > mine.cleared_seq)
      and (
        p_before is null
        or r.updated_at < p_before
        or r.updated_at = p_before and r.id < p_before_id
      )
    order by r.updated_at desc, r.id desc
    limit p_limit
  ));
end;
$$;

create function public.get_rooms(
  p_archived boolean default false,
  p_limit int default 50,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_room_id uuid default null
)
returns json
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.get_rooms(p_archived, p_limit, p_before, p_before_id, p_room_id);
end;
$$;

-- The same verdicts that the functions and triggers ask.
create function private.room_permissions(p_room_id uuid)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  may_manage text := private.verdict_manage(p_room_id, me);
begin
  return (
    select jsonb_object_agg(permission, jsonb_build_object('allowed', verdict is null, 'reason', verdict))
    from (
      values
        ('can_read', private.verdict_enter(p_room_id, me)),
        ('can_send', private.verdict_send(p_room_id, me)),
        ('can_leave', private.verdict_leave(p_room_id, me)),
        ('can_add_members', may_manage),
        ('can_remove_members', may_manage),
        ('can_set_roles', may_manage),
        ('can_edit_room', may_manage),
        ('can_clear_for_everyone', private.verdict_clear_for_everyone(p_room_id, me)),
        ('can_hard_delete', private.verdict_hard_delete(p_room_id, me))
    ) as permissions (permission, verdict)
  );
end;
$$;

create function public.room_permissions(p_room_id uuid)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.room_permissions(p_room_id);
end;
$$;

-- Grants
grant execute on function private.get_rooms(boolean, int, timestamptz, uuid, uuid) to authenticated;
grant execute on function private.room_permissions(uuid) to authenticated;
grant execute on function public.get_rooms(boolean, int, timestamptz, uuid, uuid) to authenticated;
grant execute on function public.room_permissions(uuid) to authenticated;

-- Comments
comment on function public.get_rooms(boolean, int, timestamptz, uuid, uuid) is
'Up to 500 of the caller''s rooms, the newest updated_at first; the next page begins before the last one''s updated_at and id. Archived ones or the others, or with null both; with a room''s id that one alone, also when it is archived or deleted. Answers rooms. Refusals: not_signed_in, limit_out_of_range, room_not_found, not_a_member.';
comment on function public.room_permissions(uuid) is
'What the caller may do in a room: {can_read, can_send, can_leave, can_add_members, can_remove_members, can_set_roles, can_edit_room, can_clear_for_everyone, can_hard_delete}, each {allowed, reason}, where the reason is the code of the refusal. Refusals: not_signed_in.';
