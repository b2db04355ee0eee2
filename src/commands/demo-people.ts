/** The accounts that supabase/seed.sql makes. */
export const demoPeople = {
  password: 'parley-demo',
  emails: ['ana@grand-hotel.example', 'ben@grand-hotel.example', 'chloe@grand-hotel.example', 'dan@example.com'],
}
