const askedFirst = 'The policy on messages says so too. It stands here because it costs less, and is asked first.'

/** What can be taken away without a test that runs one session at a time noticing it, and why. */
export const unnoticed: Record<string, string> = {
  'alter policy "Members see the files of messages they may see" on public.message_attachments using, without (room_id = ANY (( SELECT private.my_room_ids() AS my_room_ids)::uuid[]))':
    askedFirst,
  'alter policy "Members see the mentions in messages they may see" on public.message_mentions using, without (room_id = ANY (( SELECT private.my_room_ids() AS my_room_ids)::uuid[]))':
    askedFirst,
  'alter policy "Members see the reactions to messages they may see" on public.message_reactions using, without (room_id = ANY (( SELECT private.my_room_ids() AS my_room_ids)::uuid[]))':
    askedFirst,
}
