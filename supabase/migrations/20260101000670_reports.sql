-- Reports: what a member finds should not have been written, for the admins of the room's organization.

-- Tables
-- Plain ids: a report outlives the message, the room and the accounts it speaks of.
create table public.message_reports (
  id uuid primary key default private.uuid_v7(),
  message_id uuid not null,
  room_id uuid not null,
  organization_id uuid,
  sender_id uuid,
  reporter_id uuid not null,
  reason text not null,
  created_at timestamptz not null default now(),
  constraint message_reports_one_per_person unique (message_id, reporter_id),
  constraint reason_is_1_to_500_chars check (char_length(reason) between 1 and 500)
);

-- Indexes
create index message_reports_organization_idx on public.message_reports (organization_id, created_at);

-- Functions
create function private.report_message(p_message_id uuid, p_reason text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  message public.chat_messages := private.require_message(p_message_id);
begin
  if message.is_deleted then
    perform private.refuse('message_deleted');
  elsif coalesce(trim(p_reason), '') = '' then
    perform private.refuse('reason_required');
  elsif char_length(p_reason) > 500 then
    perform private.refuse('reason_too_long');
  elsif exists (select from public.message_reports where message_id = message.id and reporter_id = me) then
    -- Once is enough: the first report stands.
    return;
  end if;

  perform private.take_token(me, 'report', private.limit_of('reports_per_hour'), '1 hour');
  insert into public.message_reports (message_id, room_id, organization_id, sender_id, reporter_id, reason)
  select message.id, message.room_id, r.organization_id, message.sender_id, me, p_reason
  from public.chat_rooms as r
  where r.id = message.room_id
  on conflict (message_id, reporter_id) do nothing;
end;
$$;

create function public.report_message(p_message_id uuid, p_reason text)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.report_message(p_message_id, p_reason);
end;
$$;

-- Policies
alter table public.message_reports enable row level security;

create policy "Admins read the reports of their organization"
on public.message_reports for select to authenticated
using (organization_id = any ((select private.my_administered_ids())::uuid[]));

-- Grants
revoke all on public.message_reports from anon, authenticated;
grant select on public.message_reports to authenticated;
grant execute on function private.report_message(uuid, text) to authenticated;
grant execute on function public.report_message(uuid, text) to authenticated;

-- Comments
comment on table public.message_reports is
'Messages that members reported, and why. Rooms without an organization are reported to the project''s own people, who read with the service key. A report holds no content: what is deleted for good stays so.';
comment on function public.report_message(uuid, text) is
'Reports a message, with a reason of 1 to 500 characters. Again changes nothing. Refusals: not_signed_in, message_not_found, not_a_member, message_deleted, reason_required, reason_too_long, too_many_requests.';
