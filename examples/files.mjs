import { connect, signUp } from './people.mjs'

const ana = await signUp('Ana')
const ben = await signUp('Ben')
const { data: room } = await ana.client.rpc('start_direct_chat', { p_user_id: ben.id }).throwOnError()
const menu = new Blob(['Soup, then fish.'], { type: 'text/plain' })

// On a server of yours, with the secret key: announce the file for Ana
const server = connect(process.env.PARLEY_SECRET_KEY ?? 'sb_secret_parley_local_00000000000000000')
const { data: announced } = await server
  .rpc('create_attachments', {
    p_user_id: ana.id,
    p_room_id: room.id,
    p_files: [{ file_name: 'menu.txt', mime_type: 'text/plain', size_bytes: menu.size }],
    p_provider: 'supabase',
  })
  .throwOnError()
const [upload] = announced.uploads

// In Ana's app: upload it under the name that was given
const uploaded = await ana.client.storage.from('chat-attachments').upload(upload.public_id, menu)
if (uploaded.error) throw uploaded.error

// On the server again: say what arrived
const { data: arrived } = await server.storage.from('chat-attachments').info(upload.public_id)
await server
  .rpc('verify_attachment', {
    p_attachment_id: upload.attachment_id,
    p_mime_type: arrived.contentType,
    p_size_bytes: arrived.size,
  })
  .throwOnError()

// In Ana's app: send it
await ana.client.rpc('send_message', { p_room_id: room.id, p_attachment_ids: [upload.attachment_id] }).throwOnError()

// In Ben's app: a URL for what came
const { data: messages } = await ben.client.rpc('get_messages', { p_room_id: room.id }).throwOnError()
const [file] = messages[0].attachments
const { data: asset } = await ben.client
  .from('message_attachments')
  .select('media_assets(public_id)')
  .eq('id', file.id)
  .single()
  .throwOnError()
const signed = await ben.client.storage.from('chat-attachments').createSignedUrl(asset.media_assets.public_id, 300)
const text = await (await fetch(signed.data.signedUrl)).text()
console.log(`${file.file_name}: ${text}`)
