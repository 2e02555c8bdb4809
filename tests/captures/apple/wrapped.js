jsonCallback({
 "services": [
  {
   "serviceName": "App Store",
   "redirectUrl": null,
   "events": [
    {
     "statusType": "Outage",
     "eventStatus": "ongoing",
     "usersAffected": "Some users are affected",
     "epochStartDate": 1772359200000,
     "epochEndDate": null,
     "startDate": "03/01/2026 02:00 PST",
     "endDate": null,
     "message": "Users cannot sign in.",
     "messageId": "700"
    }
   ]
  },
  {
   "serviceName": "iCloud Mail",
   "redirectUrl": null,
   "events": []
  }
 ]
});
